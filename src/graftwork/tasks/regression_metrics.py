"""Metrics of numbers, over weightings of the rows: truth (N,), predicted (N,), weights (R, N) -> (R,)."""

from __future__ import annotations

import numpy as np


def rmse(truth: np.ndarray, predicted: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Root of the mean squared error, in the units of the target."""
    root: np.ndarray = np.sqrt(_mean((predicted - truth) ** 2, weights))
    return root


def mae(truth: np.ndarray, predicted: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean absolute error, in the units of the target."""
    return _mean(np.abs(predicted - truth), weights)


def r2(truth: np.ndarray, predicted: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Share of the target's variance that is explained; 0 for always answering its mean, negative for worse."""
    centred = truth - truth.mean()
    variance = _mean(centred**2, weights) - _mean(centred, weights) ** 2
    error = _mean((predicted - truth) ** 2, weights)
    constant = variance <= 1e-15 * max(float((centred**2).max()), 1e-300)
    share: np.ndarray = np.where(constant, np.where(error == 0, 1.0, 0.0), 1 - error / np.where(constant, 1, variance))
    return share


def spearman(truth: np.ndarray, predicted: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Correlation of the ranks (ties share their mean rank); 0 where either side is constant."""
    x, y = _ranks(truth, weights), _ranks(predicted, weights)
    total = weights.sum(axis=1, keepdims=True)
    x, y = (ranks - (weights * ranks).sum(axis=1, keepdims=True) / total for ranks in (x, y))
    covariance = (weights * x * y).sum(axis=1)
    spread = np.sqrt((weights * x * x).sum(axis=1) * (weights * y * y).sum(axis=1))
    correlation: np.ndarray = np.divide(covariance, spread, out=np.zeros(len(weights)), where=spread > 0)
    return correlation


def _ranks(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean rank of each row where a row of weight w stands for w equal rows (R, N)."""
    order = np.argsort(values, kind="stable")
    starts = np.flatnonzero(np.append(True, np.diff(values[order]) != 0))
    tied = np.add.reduceat(weights[:, order], starts, axis=1)
    middle = np.cumsum(tied, axis=1) - tied / 2 + 0.5
    group_of = np.cumsum(np.isin(np.arange(len(values)), starts)) - 1
    ranks = np.empty(weights.shape)
    ranks[:, order] = middle[:, group_of]
    return ranks


def _mean(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    means: np.ndarray = (weights @ values) / weights.sum(axis=1)
    return means
