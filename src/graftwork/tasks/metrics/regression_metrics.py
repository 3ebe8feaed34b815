"""Metrics of numbers. Each makes of truth (N,) and predictions (N,) a scorer: weights (R, N) -> scores (R,)."""

from __future__ import annotations

import numpy as np

from graftwork.tasks.metrics.metric import Metric, Scorer, mean_of_rows


def rmse(truth: np.ndarray, predicted: np.ndarray) -> Scorer:
    """Root of the mean squared error, in the units of the target."""
    mean = mean_of_rows((predicted - truth) ** 2)
    return lambda weights: np.asarray(np.sqrt(mean(weights)))


def mae(truth: np.ndarray, predicted: np.ndarray) -> Scorer:
    """Mean absolute error, in the units of the target."""
    return mean_of_rows(np.abs(predicted - truth))


def r2(truth: np.ndarray, predicted: np.ndarray) -> Scorer:
    """Share of the target's variance that is explained; 0 for always answering its mean, negative for worse."""
    centred = truth - truth.mean()
    smallest = 1e-15 * max(float((centred**2).max()), 1e-300)
    first, second, error = mean_of_rows(centred), mean_of_rows(centred**2), mean_of_rows((predicted - truth) ** 2)

    def scorer(weights: np.ndarray) -> np.ndarray:
        variance, missed = second(weights) - first(weights) ** 2, error(weights)
        constant = variance <= smallest
        explained = 1 - missed / np.where(constant, 1, variance)
        share: np.ndarray = np.where(constant, np.where(missed == 0, 1.0, 0.0), explained)
        return share

    return scorer


def spearman(truth: np.ndarray, predicted: np.ndarray) -> Scorer:
    """Correlation of the ranks (ties share their mean rank); 0 where either side is constant."""
    rank_truth, rank_predicted = _ranks(truth), _ranks(predicted)

    def scorer(weights: np.ndarray) -> np.ndarray:
        total = weights.sum(axis=1, keepdims=True)
        x, y = (
            ranks - (weights * ranks).sum(axis=1, keepdims=True) / total
            for ranks in (rank_truth(weights), rank_predicted(weights))
        )
        covariance = (weights * x * y).sum(axis=1)
        spread = np.sqrt((weights * x * x).sum(axis=1) * (weights * y * y).sum(axis=1))
        correlation: np.ndarray = np.divide(covariance, spread, out=np.zeros(len(weights)), where=spread > 0)
        return correlation

    return scorer


def _ranks(values: np.ndarray) -> Scorer:
    """From weights (R, N), the mean rank of each row where a row of weight w stands for w equal rows (R, N)."""
    order = np.argsort(values, kind="stable")
    is_start = np.append(True, np.diff(values[order]) != 0)
    starts, group_of = np.flatnonzero(is_start), np.cumsum(is_start) - 1

    def scorer(weights: np.ndarray) -> np.ndarray:
        tied = np.add.reduceat(weights[:, order], starts, axis=1)
        middle = np.cumsum(tied, axis=1) - tied / 2 + 0.5
        ranks = np.empty(weights.shape)
        ranks[:, order] = middle[:, group_of]
        return ranks

    return scorer


METRICS = (
    Metric("rmse", rmse, "choices", False, "Root mean squared error", "own"),
    Metric("mae", mae, "choices", False, "Mean absolute error", "own"),
    Metric("r2", r2, "choices", True, "R²", "plain"),
    Metric("spearman", spearman, "choices", True, "Spearman correlation", "plain"),
)
