"""How well embeddings tell identities apart: metrics over pairs of rows, weighted by identity.

Every pair of rows is compared by the cosine of its embeddings; it is "the same" where both rows have one identity.
Rows are not independent (ten photos show one person), so weights count identities: a draw of the bootstrap takes whole
identities, a pair of two identities counts with the product of their weights, a pair within one with its weight.

truth: identities (N,). given: embeddings (N, E).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from graftwork.tasks.metrics.metric import Metric, Scorer

MOST_PAIRS = 60_000
"""Pairs that are compared at most; with more rows, pairs are drawn, about half of them of the same identity."""
_BLOCK = 4096


@dataclass(frozen=True)
class Pairs:
    """P pairs of rows, the most alike first.

    first, second: their rows (P,). scores: cosines (P,). same: whether both rows have one identity (P,).
    """

    first: np.ndarray
    second: np.ndarray
    scores: np.ndarray
    same: np.ndarray


@dataclass(frozen=True)
class Roc:
    """Rates at falling thresholds, from nothing accepted to all: far, false accepts; tar, true accepts (T,)."""

    far: np.ndarray
    tar: np.ndarray

    @property
    def eer(self) -> float:
        """The rate at which false accepts equal false rejects, on the straight line between two thresholds."""
        missed = 1 - self.tar
        at = int(np.argmax(missed <= self.far))
        if at == 0:
            return float(self.far[0])
        above, below = missed[at - 1] - self.far[at - 1], missed[at] - self.far[at]
        share = above / (above - below)
        return float(self.far[at - 1] + share * (self.far[at] - self.far[at - 1]))

    def tar_at(self, far: float) -> float:
        """The most true accepts at no more than this rate of false accepts."""
        return float(self.tar[np.searchsorted(self.far, far + 1e-12, side="right") - 1])


def unit(embeddings: np.ndarray) -> np.ndarray:
    """Embeddings of length 1 (N, E), float32; a row of zeros stays."""
    values = np.asarray(embeddings, np.float32)
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    scaled: np.ndarray = values / np.maximum(lengths, 1e-12)
    return scaled


def pairs_of(identities: np.ndarray, embeddings: np.ndarray, most: int = MOST_PAIRS) -> Pairs:
    """All pairs of rows, each once; beyond `most` a sample, the same one at every call."""
    rows = len(identities)
    first, second = np.triu_indices(rows, 1) if rows * (rows - 1) // 2 <= most else _drawn(identities, most)
    directions = unit(embeddings)
    scores = np.concatenate(
        [
            np.einsum("pe,pe->p", directions[first[at : at + _BLOCK]], directions[second[at : at + _BLOCK]])
            for at in range(0, len(first), _BLOCK)
        ]
        or [np.zeros(0, np.float32)]
    )
    order = np.argsort(-scores, kind="stable")
    first, second = first[order], second[order]
    return Pairs(first, second, scores[order], identities[first] == identities[second])


def roc(pairs: Pairs, weights: np.ndarray | None = None) -> Roc:
    """The curve, pairs weighted (P,). Not a number where all that counts is the same, or nothing is."""
    counted = np.ones(len(pairs.scores)) if weights is None else weights
    last_of_tie = np.append(np.diff(pairs.scores) != 0, True)
    rates = []
    for wanted in (~pairs.same, pairs.same):
        passed = np.cumsum(counted * wanted)
        total = passed[-1] if len(passed) else 0.0
        share = passed[last_of_tie] / total if total > 0 else np.full(int(last_of_tie.sum()), np.nan)
        rates.append(np.append(0.0, share))
    return Roc(rates[0], rates[1])


def eer(truth: np.ndarray, embeddings: np.ndarray) -> Scorer:
    """Equal error rate: of false accepts and of false rejects, at the threshold at which they are equal."""
    return _over_draws(truth, embeddings, lambda curve: curve.eer)


def tar_at(far: float) -> Callable[[np.ndarray, np.ndarray], Scorer]:
    """The metric: share of pairs of one identity that are accepted where at most `far` of the others are."""
    return lambda truth, embeddings: _over_draws(truth, embeddings, lambda curve: curve.tar_at(far))


def rank1(truth: np.ndarray, embeddings: np.ndarray) -> Scorer:
    """Share of rows whose nearest other row has their identity; rows that are alone in theirs are left out."""
    right, counted = nearest_is_right(truth, embeddings)

    def scorer(weights: np.ndarray) -> np.ndarray:
        total = (weights * counted).sum(axis=1)
        hits = (weights * right).sum(axis=1)
        share: np.ndarray = np.divide(hits, total, out=np.full(len(weights), np.nan), where=total > 0)
        return share

    return scorer


def nearest_is_right(truth: np.ndarray, embeddings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whether each row's nearest other row has its identity (N,), and which rows are not alone in theirs (N,)."""
    directions, rows = unit(embeddings), np.arange(len(truth))
    nearest = np.zeros(len(truth), np.int64)
    for start in range(0, len(truth), _BLOCK):
        block = rows[start : start + _BLOCK]
        alike = directions[block] @ directions.T
        alike[np.arange(len(block)), block] = -np.inf
        nearest[block] = alike.argmax(axis=1)
    _, codes, sizes = np.unique(truth, return_inverse=True, return_counts=True)
    counted = sizes[codes] > 1
    return (truth[nearest] == truth) & counted, counted


def _over_draws(truth: np.ndarray, embeddings: np.ndarray, value: Callable[[Roc], float]) -> Scorer:
    pairs = pairs_of(truth, embeddings)

    def scorer(weights: np.ndarray) -> np.ndarray:
        return np.array([_value(pairs, drawn, value) for drawn in weights])

    return scorer


def _value(pairs: Pairs, weights: np.ndarray, value: Callable[[Roc], float]) -> float:
    first = weights[pairs.first]
    curve = roc(pairs, np.where(pairs.same, first, first * weights[pairs.second]))
    return float("nan") if np.isnan(curve.far[-1] + curve.tar[-1]) else value(curve)


def _drawn(identities: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """About `most` different pairs: for each row as many others of its identity as of other ones, at random."""
    draw = np.random.default_rng(0)
    _, codes, sizes = np.unique(identities, return_inverse=True, return_counts=True)
    order = np.argsort(codes, kind="stable")
    start = np.cumsum(sizes) - sizes
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order)) - start[codes[order]]
    rows = np.repeat(np.arange(len(codes)), max(1, most // 2 // len(codes)))
    if len(rows) > most // 2:
        rows = draw.choice(rows, most // 2, replace=False)
    alone = sizes[codes[rows]] < 2
    of_class = codes[rows[~alone]]
    step = 1 + draw.integers(0, sizes[of_class] - 1)
    partner = order[start[of_class] + (place[rows[~alone]] + step) % sizes[of_class]]
    others = draw.integers(0, len(codes), len(rows))
    differs = codes[others] != codes[rows]
    first = np.concatenate([rows[~alone], rows[differs]])
    second = np.concatenate([partner, others[differs]])
    pairs = np.unique(np.stack([np.minimum(first, second), np.maximum(first, second)]), axis=1)
    return pairs[0], pairs[1]


METRICS = (
    Metric("eer", eer, "embeddings", False, "Equal error rate"),
    Metric("tar_at_far_0.01", tar_at(0.01), "embeddings", True, "True accepts at 1 % false accepts"),
    Metric("tar_at_far_0.001", tar_at(0.001), "embeddings", True, "True accepts at 0.1 % false accepts"),
    Metric("rank1", rank1, "embeddings", True, "Rank-1 identification"),
)
