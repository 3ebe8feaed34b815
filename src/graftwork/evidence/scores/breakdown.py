"""Where a model with classes goes wrong: by class, by pair of classes, and by how certain it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from graftwork.tasks.metrics.classification_metrics import BINS, bin_of


@dataclass(frozen=True)
class ClassScore:
    """One class: rows that have it, rows it was predicted for, rows where both hold, and what follows from them."""

    label: str
    rows: int
    predicted: int
    right: int

    @property
    def precision(self) -> float | None:
        """Share of its predictions that are right; None where it was never predicted."""
        return self.right / self.predicted if self.predicted else None

    @property
    def recall(self) -> float | None:
        """Share of its rows that are found; None where it has no row."""
        return self.right / self.rows if self.rows else None

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall; None where it has neither rows nor predictions."""
        total = self.rows + self.predicted
        return 2 * self.right / total if total else None


@dataclass(frozen=True)
class Pair:
    """Rows of the class `truth` that were taken for `predicted`."""

    truth: str
    predicted: str
    rows: int


@dataclass(frozen=True)
class Bin:
    """Predictions with a confidence in (low, high]: how many, their mean confidence, and the share that is right."""

    low: float
    high: float
    rows: int
    confidence: float
    accuracy: float


def class_scores(truth: np.ndarray, chosen: np.ndarray, classes: Sequence[str]) -> tuple[ClassScore, ...]:
    """By class, in the order of `classes`. truth, chosen: class indices (N,), or 0 and 1 by class (N, C)."""
    count = len(classes)
    if truth.ndim == 2:
        rows, predicted, right = truth.sum(0), chosen.sum(0), (truth * chosen).sum(0)
    else:
        rows, predicted = (np.bincount(codes, minlength=count) for codes in (truth, chosen))
        right = np.bincount(truth[truth == chosen], minlength=count)
    each = zip(classes, rows.tolist(), predicted.tolist(), right.tolist(), strict=True)
    return tuple(ClassScore(*values) for values in each)


def confused_pairs(truth: np.ndarray, chosen: np.ndarray, classes: Sequence[str]) -> tuple[Pair, ...]:
    """The mistakes by pair of classes, most frequent first."""
    wrong = truth != chosen
    cells, counts = np.unique(np.stack([truth[wrong], chosen[wrong]]), axis=1, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return tuple(Pair(classes[cells[0, at]], classes[cells[1, at]], int(counts[at])) for at in order)


def reliability(truth: np.ndarray, probabilities: np.ndarray) -> tuple[Bin, ...]:
    """The predictions in 15 bins of equal width of confidence, empty ones left out.

    One class a row: the confidence of the predicted class. Several: the probability of each class of each row.
    """
    if truth.ndim == 2:
        confidence, right = probabilities.reshape(-1), truth.reshape(-1) > 0
    else:
        confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    bins = bin_of(confidence)
    rows = np.bincount(bins, minlength=BINS)
    sure = np.bincount(bins, weights=confidence, minlength=BINS)
    hits = np.bincount(bins, weights=right, minlength=BINS)
    return tuple(
        Bin(at / BINS, (at + 1) / BINS, int(rows[at]), float(sure[at] / rows[at]), float(hits[at] / rows[at]))
        for at in np.flatnonzero(rows).tolist()
    )
