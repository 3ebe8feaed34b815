"""How well embeddings tell identities apart: metrics over pairs of rows, weighted by identity.

Every pair of rows is compared by the cosine of its embeddings; it is "the same" where both rows have one identity.
Rows are not independent (ten photos show one person), so weights count identities: a draw of the bootstrap takes whole
identities, a pair of two identities counts with the product of their weights, a pair within one with its weight.

truth: identities (N,). given: embeddings (N, E).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from graftwork.networks.likeness import BLOCK, Pairs, Roc, pairs_of, roc, unit
from graftwork.tasks.metrics.metric import Metric, Scorer


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
    for start in range(0, len(truth), BLOCK):
        block = rows[start : start + BLOCK]
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


METRICS = (
    Metric("eer", eer, "embeddings", False, "Equal error rate"),
    Metric("tar_at_far_0.01", tar_at(0.01), "embeddings", True, "True accepts at 1 % false accepts"),
    Metric("tar_at_far_0.001", tar_at(0.001), "embeddings", True, "True accepts at 0.1 % false accepts"),
    Metric("rank1", rank1, "embeddings", True, "Rank-1 identification"),
)
