"""Metrics of classes and sets of labels: how well choices or probabilities agree with the truth.

truth: class indices (N,), or classes of each row (N, C). given: what `Metric.reads` says.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from graftwork.tasks.metrics.confusion import Confusion, OfClasses, sums_by_group
from graftwork.tasks.metrics.metric import Metric, Scorer, mean_of_rows

BINS = 15
"""Bins of equal width for the calibration error, as in Guo et al. 2017."""


def accuracy(truth: np.ndarray, chosen: np.ndarray) -> Scorer:
    """Share of rows whose class (or whose whole set of classes) is right."""
    right = truth == chosen if truth.ndim == 1 else (truth == chosen).all(axis=1)
    return mean_of_rows(right)


def of_episodes(truth: np.ndarray, scores: np.ndarray) -> Scorer:  # noqa: ARG001
    """Mean share of right answers of an episode; nothing else is compared."""
    return mean_of_rows(scores)


def top5_accuracy(truth: np.ndarray, probabilities: np.ndarray) -> Scorer:
    """Share of rows whose class is among the five most probable: fewer than five are more probable."""
    of_truth = probabilities[np.arange(len(truth)), truth][:, None]
    return mean_of_rows((probabilities > of_truth).sum(axis=1) < 5)


def log_loss(truth: np.ndarray, probabilities: np.ndarray) -> Scorer:
    """Mean negative log-probability of the truth, in nats; over classes too for several labels a row."""
    tiny = np.finfo(probabilities.dtype).eps
    if truth.ndim == 2:
        p = np.clip(probabilities, tiny, 1 - tiny).astype(np.float64)
        return mean_of_rows(-np.where(truth > 0, np.log(p), np.log1p(-p)).mean(axis=1))
    of_truth = probabilities[np.arange(len(truth)), truth]
    return mean_of_rows(-np.log(np.clip(of_truth, tiny, 1 - tiny).astype(np.float64)))


def macro_f1(truth: np.ndarray, chosen: np.ndarray) -> Scorer:
    """Mean of the classes' F1; a class that is neither there nor chosen does not count for a single label a row."""
    every = truth.ndim == 2

    def ratio(sums: Confusion, _: np.ndarray) -> np.ndarray:
        present = (sums.truth + sums.chosen > 0) | every
        f1 = _ratio(2 * sums.right, sums.truth + sums.chosen)
        macro: np.ndarray = (f1 * present).sum(axis=1) / np.maximum(present.sum(axis=1), 1)
        return macro

    return OfClasses(truth, chosen, ratio)


def micro_f1(truth: np.ndarray, chosen: np.ndarray) -> Scorer:
    """F1 of all decisions, counted together."""

    def ratio(sums: Confusion, _: np.ndarray) -> np.ndarray:
        return _ratio(2 * sums.right.sum(axis=1), sums.truth.sum(axis=1) + sums.chosen.sum(axis=1))

    return OfClasses(truth, chosen, ratio)


def balanced_accuracy(truth: np.ndarray, chosen: np.ndarray) -> Scorer:
    """Mean recall of the classes that are there."""

    def ratio(sums: Confusion, _: np.ndarray) -> np.ndarray:
        mean: np.ndarray = _ratio(sums.right, sums.truth).sum(axis=1) / (sums.truth > 0).sum(axis=1)
        return mean

    return OfClasses(truth, chosen, ratio)


def mcc(truth: np.ndarray, chosen: np.ndarray) -> Scorer:
    """Matthews correlation of several classes (Gorodkin 2004): 0 for a constant answer, 1 for no mistake."""

    def ratio(sums: Confusion, total: np.ndarray) -> np.ndarray:
        covariance = sums.right.sum(axis=1) * total - (sums.truth * sums.chosen).sum(axis=1)
        of_truth = total**2 - (sums.truth**2).sum(axis=1)
        of_chosen = total**2 - (sums.chosen**2).sum(axis=1)
        return _ratio(covariance, np.sqrt(of_truth * of_chosen))

    return OfClasses(truth, chosen, ratio)


def calibration_error(truth: np.ndarray, probabilities: np.ndarray) -> Scorer:
    """Expected calibration error: |accuracy - confidence| in 15 bins of equal width, weighted by their rows.

    Naeini et al. 2015; Guo et al. 2017. It is biased upwards where rows are few.
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    gap = (probabilities.argmax(axis=1) == truth) - confidence
    bins = bin_of(confidence)

    def scorer(weights: np.ndarray) -> np.ndarray:
        error: np.ndarray = np.abs(sums_by_group(weights * gap, bins, BINS)).sum(axis=1) / weights.sum(axis=1)
        return error

    return scorer


def bin_of(confidence: np.ndarray) -> np.ndarray:
    """The bin of each confidence: bin b holds those above b / 15, up to (b + 1) / 15."""
    bins: np.ndarray = np.clip(np.ceil(confidence * BINS).astype(np.int64) - 1, 0, BINS - 1)
    return bins


def average_precision(truth: np.ndarray, probabilities: np.ndarray) -> Scorer:
    """Area under the precision-recall steps of each class, mean over the classes that are there."""
    of_class = [_average_precision(truth[:, c] > 0, probabilities[:, c]) for c in range(truth.shape[1])]

    def scorer(weights: np.ndarray) -> np.ndarray:
        per_class = [each(weights) for each in of_class]
        values = np.stack([value for value, _ in per_class], axis=1)
        there = np.stack([positives > 0 for _, positives in per_class], axis=1)
        return _ratio((values * there).sum(axis=1), there.sum(axis=1).astype(np.float64))

    return scorer


def _average_precision(truth: np.ndarray, scores: np.ndarray) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """From weights (R, N): average precisions (R,), and how much weight the positive rows have (R,)."""
    order = np.argsort(-scores, kind="stable")
    last_of_tie = np.append(np.diff(scores[order]) != 0, True)
    positive = truth[order]

    def scorer(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        sorted_weights = weights[:, order]
        hits = np.cumsum(sorted_weights * positive, axis=1)[:, last_of_tie]
        seen = np.cumsum(sorted_weights, axis=1)[:, last_of_tie]
        gained = np.diff(hits, axis=1, prepend=0.0)
        return _ratio((gained * _ratio(hits, seen)).sum(axis=1), hits[:, -1]), hits[:, -1]

    return scorer


def _ratio(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """top / bottom, 0 where there is nothing to divide by."""
    ratio: np.ndarray = np.divide(top, bottom, out=np.zeros(np.shape(top)), where=bottom > 0)
    return ratio


METRICS = (
    Metric("accuracy", accuracy, "choices", True, "Accuracy"),
    Metric("macro_f1", macro_f1, "choices", True, "Macro-F1", mean_of_classes=True),
    Metric("micro_f1", micro_f1, "choices", True, "Micro-F1"),
    Metric("log_loss", log_loss, "probabilities", False, "Log-loss", "plain"),
    Metric("calibration_error", calibration_error, "probabilities", False, "Calibration error"),
    Metric("balanced_accuracy", balanced_accuracy, "choices", True, "Balanced accuracy", mean_of_classes=True),
    Metric("mcc", mcc, "choices", True, "Matthews correlation", "plain"),
    Metric("top5_accuracy", top5_accuracy, "probabilities", True, "Top-5 accuracy", least_classes=6),
    Metric("subset_accuracy", accuracy, "choices", True, "All labels right"),
    Metric("average_precision", average_precision, "probabilities", True, "Average precision", mean_of_classes=True),
    Metric("episode_accuracy", of_episodes, "episodes", True, "Accuracy of episodes"),
)
