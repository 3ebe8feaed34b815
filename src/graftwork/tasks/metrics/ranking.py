"""Where the right partner of a row stands when all rows of the other side are ranked by likeness; and scores of that.

ranks: (N, 2), from the first side to the second and from the second to the first; 1 is best.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from graftwork.tasks.metrics.metric import Metric, Scorer, mean_of_rows

Way = Literal["both", "forward", "backward"]


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
