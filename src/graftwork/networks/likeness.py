"""How alike rows are by their embeddings: pairs of rows and how well a threshold tells them apart, ranks of partners.

What solves a head chooses its settings by this, and metrics are made of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MOST_PAIRS = 60_000
"""Pairs that are compared at most; with more rows, pairs are drawn, about half of them of the same identity."""
BLOCK = 4096
"""Rows, or pairs, that are compared at a time."""
CHUNK = 4_000_000
"""Similarities held at once."""


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
            np.einsum("pe,pe->p", directions[first[at : at + BLOCK]], directions[second[at : at + BLOCK]])
            for at in range(0, len(first), BLOCK)
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


def partner_ranks(first: np.ndarray, second: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Ranks (N, 2), float32, of each row's partner among all distinct rows of the other side.

    first, second: embeddings (N, W), compared by inner product. ids (N, 2): a number for the content of each side; rows
    that share one share their partners, the best of which counts. Partners that are as like as others share the
    middle rank, so that embeddings that are all the same find nothing; embeddings that are not finite come last.
    """
    there = _ranks(first, second, ids[:, 0], ids[:, 1])
    back = _ranks(second, first, ids[:, 1], ids[:, 0])
    return np.stack([there, back], axis=1).astype(np.float32)


def _ranks(queries: np.ndarray, others: np.ndarray, own: np.ndarray, partner: np.ndarray) -> np.ndarray:
    _, places, codes = np.unique(partner, return_index=True, return_inverse=True)
    candidates = others[places]
    _, groups = np.unique(own, return_inverse=True)
    pairs = np.unique(np.stack([groups, codes]), axis=1)
    starts = np.searchsorted(pairs[0], np.arange(int(pairs[0, -1]) + 2))
    found = np.empty(len(queries))
    size = max(1, CHUNK // len(candidates))
    for begin in range(0, len(queries), size):
        part = slice(begin, begin + size)
        found[part] = _ranked(queries[part] @ candidates.T, groups[part], pairs[1], starts)
    return found


def _ranked(likeness: np.ndarray, groups: np.ndarray, columns: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """likeness (B, C); the partners of group g are columns[starts[g] : starts[g + 1]], at least one."""
    counts = starts[groups + 1] - starts[groups]
    offsets = np.cumsum(counts) - counts
    rows = np.repeat(np.arange(len(groups)), counts)
    picked = columns[np.arange(len(rows)) - offsets[rows] + starts[groups][rows]]
    of_partners = likeness[rows, picked]
    best = np.maximum.reduceat(of_partners, offsets)
    better = (~(likeness <= best[:, None])).sum(axis=1)
    level = (likeness == best[:, None]).sum(axis=1) - np.add.reduceat(of_partners == best[rows], offsets)
    place: np.ndarray = 1 + better + level / 2
    return place


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
