"""How well features suit labels before anything is trained: LogME, by which bases are ranked.

The logarithm of the evidence of a Bayesian linear model of the labels, maximised over its two precisions, a row. More
is better; it says which of several bases is likely to do better on one set of rows, and nothing by itself.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from graftwork.errors import UsageError

Floats = NDArray[np.float64]
ROUNDS, CLOSE = 200, 1e-6
"""Rounds of the fixed point at most, and the relative change at which it has been reached."""
LEAST = 1e-12
"""Eigenvalues below this share of the largest count as 0."""


def log_me(features: NDArray[np.floating], labels: NDArray[np.generic]) -> float:
    """LogME of features (N, F) for labels: class numbers (N,) of a whole type, else numbers (N,) or (N, K).

    Of classes, and of several numbers, the mean over them, each against the rest as 0 and 1. Source: You et al. 2021
    (LogME: practical assessment of pre-trained models for transfer learning), with the fixed point of their equation 4.

    Raises UsageError where features and labels are of different rows, there are none, or a value is not finite.
    """
    numbers = _columns(labels)
    if len(features) != len(numbers) or not features.size or not numbers.size:
        raise UsageError(f"LogME got features of {len(features)} rows and labels of {len(numbers)}. Expected the same.")
    seen = np.asarray(features, np.float64)
    if not (np.isfinite(seen).all() and np.isfinite(numbers).all()):
        raise UsageError("LogME got a feature or a label that is not finite.")
    values, explained = _projected(seen, numbers)
    total = (numbers**2).sum(axis=0)
    each = [_evidence(values, explained[:, at], total[at], *seen.shape) for at in range(numbers.shape[1])]
    return float(np.mean(each))


def _columns(labels: NDArray[np.generic]) -> Floats:
    """What is explained (N, K): of classes a column each."""
    if labels.ndim == 1 and np.issubdtype(labels.dtype, np.integer):
        return np.asarray(labels[:, None] == np.unique(labels)[None, :], np.float64)
    plain = np.asarray(labels, np.float64)
    return plain[:, None] if plain.ndim == 1 else plain


def _projected(features: Floats, numbers: Floats) -> tuple[Floats, Floats]:
    """The squared singular values of the features (R,), and the squares of the numbers along each left singular vector
    (R, K), by the smaller of the two matrices of products."""
    rows, width = features.shape
    if rows < width:
        values, vectors = np.linalg.eigh(features @ features.T)
        along = vectors.T @ numbers
    else:
        values, vectors = np.linalg.eigh(features.T @ features)
        scale = np.sqrt(np.maximum(values, np.finfo(np.float64).tiny))[:, None]
        along = (vectors.T @ (features.T @ numbers)) / scale
    kept = values > LEAST * max(float(values.max()), np.finfo(np.float64).tiny)
    return values[kept], along[kept] ** 2


def _evidence(values: Floats, explained: Floats, total: float, rows: int, width: int) -> float:
    """The greatest evidence a row of one column. total: the sum of its squares."""
    total = max(total, LEAST * rows)
    rest = max(float(total - explained.sum()), LEAST * total)
    if not len(values):
        return float(np.log(rows / (2 * np.pi * total)) - 1) / 2
    low, high = LEAST * float(values.min()), float(values.max()) / LEAST
    ratio = 1.0
    for _ in range(ROUNDS):
        alpha, beta = _precisions(values, explained, rest, rows, ratio)
        before, ratio = ratio, min(max(alpha / beta, low), high)  # at an end the features say all, or nothing
        if abs(ratio - before) <= CLOSE * before:
            break
    alpha, beta = _precisions(values, explained, rest, rows, ratio)
    shrunk = ratio + values
    size = float((values * explained / shrunk**2).sum())
    error = rest + float((explained * (ratio / shrunk) ** 2).sum())
    alpha = ratio * beta
    spread = float(np.log(alpha + beta * values).sum()) + (width - len(values)) * np.log(alpha)
    found = width * np.log(alpha) + rows * np.log(beta) - rows * np.log(2 * np.pi)
    return float((found - beta * error - alpha * size - spread) / (2 * rows))


def _precisions(values: Floats, explained: Floats, rest: float, rows: int, ratio: float) -> tuple[float, float]:
    """Of the weights and of the noise, by what a linear model of this ratio of them leaves."""
    shrunk = ratio + values
    known = float((values / shrunk).sum())
    size = float((values * explained / shrunk**2).sum())
    error = rest + float((explained * (ratio / shrunk) ** 2).sum())
    return known / max(size, LEAST * error / float(values.max())), max(rows - known, LEAST * rows) / error
