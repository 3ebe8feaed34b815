"""Where the right partner of a row stands when all rows of the other side are ranked by likeness; and scores of that.

ranks: (N, 2), from the first side to the second and from the second to the first; 1 is best.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from graftwork.tasks.metrics.metric import Metric, Scorer, mean_of_rows

CHUNK = 4_000_000
"""Similarities held at once."""

Way = Literal["both", "forward", "backward"]


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


def recall(most: int, way: Way) -> Callable[[np.ndarray, np.ndarray], Scorer]:
    """Share of rows whose partner is among the first `most`."""

    def scorer(truth: np.ndarray, ranks: np.ndarray) -> Scorer:  # noqa: ARG001
        return mean_of_rows((_of(ranks, way) <= most).mean(axis=1))

    return scorer


def reciprocal_rank(truth: np.ndarray, ranks: np.ndarray) -> Scorer:  # noqa: ARG001
    """Mean of 1 / rank, both ways."""
    return mean_of_rows((1 / ranks.astype(np.float64)).mean(axis=1))


def median_rank(truth: np.ndarray, ranks: np.ndarray) -> Scorer:  # noqa: ARG001
    """The rank that half of the searches reach, both ways."""
    order = np.argsort(ranks.reshape(-1), kind="stable")
    ordered, rows = ranks.reshape(-1)[order], order // ranks.shape[1]

    def scorer(weights: np.ndarray) -> np.ndarray:
        gathered = np.cumsum(weights[:, rows], axis=1)
        half = (gathered >= gathered[:, -1:] / 2).argmax(axis=1)
        median: np.ndarray = ordered[half].astype(np.float64)
        return median

    return scorer


def _of(ranks: np.ndarray, way: Way) -> np.ndarray:
    return {"both": ranks, "forward": ranks[:, :1], "backward": ranks[:, 1:]}[way]


_WAYS: tuple[tuple[Way, str, str], ...] = (
    ("both", "", ", both ways"),
    ("forward", "forward_", ", first to second"),
    ("backward", "backward_", ", second to first"),
)

METRICS = (
    *(
        Metric(f"{name}recall_at_{most}", recall(most, way), "probabilities", True, f"Recall@{most}{words}")
        for way, name, words in _WAYS
        for most in (1, 5, 10)
    ),
    Metric("reciprocal_rank", reciprocal_rank, "probabilities", True, "Mean reciprocal rank", "plain"),
    Metric("median_rank", median_rank, "probabilities", False, "Median rank", "plain"),
)
