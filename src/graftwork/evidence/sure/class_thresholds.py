"""Weights on the probabilities of classes, so that a score of choices (macro-F1) is best: no training is needed.

Of two classes that is a threshold; of more, one factor a class, found class by class until nothing is gained
(coordinate search). Source: Lipton et al. 2014 (thresholds and F1); Narasimhan et al. 2015 (plug-in classifiers for
such scores).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from graftwork.tasks.metrics.metric import Metric

ROUNDS = 4
"""Passes over the classes at most."""
MOST_TRIED, MOST_ROWS = 48, 4000
"""Weights that are tried for a class, at quantiles of those that change a choice, fewer of many classes; rows that they
are tried on."""
_LEAST = 1e-12


def class_weights(probabilities: np.ndarray, truth: np.ndarray, metric: Metric, seed: int = 0) -> np.ndarray:
    """A weight a class (C,), above 0, the largest 1, by which `weighted_choices` score best on these rows.

    probabilities: (N, C). truth: class indices (N,). metric: of choices. Where nothing is better all weights are 1. Of
    more than 4,000 rows so many are drawn at random.
    """
    if len(truth) > MOST_ROWS:
        rows = np.random.default_rng(seed).choice(len(truth), MOST_ROWS, replace=False)
        probabilities, truth = probabilities[rows], truth[rows]
    shares = np.maximum(probabilities.astype(np.float64), _LEAST)
    weights = np.ones(shares.shape[1])
    best = _score(metric, truth, shares, weights)
    for _ in range(ROUNDS):
        before = best
        for label in range(len(weights)):
            weights[label], best = _best_of(label, shares, weights, truth, metric, best)
        if best <= before:
            break
    scaled: np.ndarray = weights / weights.max()
    return scaled


def weighted_choices(probabilities: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The class whose probability times its weight is highest (N,), class indices.

    >>> weighted_choices(np.array([[0.6, 0.4], [0.9, 0.1]]), np.array([0.5, 1.0]))
    array([1, 0])
    """
    chosen: np.ndarray = (np.asarray(probabilities, np.float64) * weights).argmax(axis=1)
    return chosen


def _best_of(
    label: int, shares: np.ndarray, weights: np.ndarray, truth: np.ndarray, metric: Metric, best: float
) -> tuple[float, float]:
    """The weight of a class, the others held, and the score with it; as they are where none is better."""
    others = shares * weights
    others[:, label] = -np.inf
    second, rival = others.argmax(axis=1), others.max(axis=1)
    ratios = np.unique(rival / shares[:, label])  # above its ratio a row is given this class
    between = np.concatenate([ratios[:1] / 2, np.sqrt(ratios[1:] * ratios[:-1]), ratios[-1:] * 2])
    tries = max(12, min(MOST_TRIED, 20 * MOST_TRIED // len(weights)))
    if len(between) > tries:
        between = np.quantile(between, np.linspace(0, 1, tries), method="nearest")
    found = weights[label]
    for tried in between:
        choices = np.where(shares[:, label] * tried > rival, label, second)
        score = _signed(metric, truth, choices)
        if score > best + 1e-12:
            found, best = float(tried), score
    return found, best


def _score(metric: Metric, truth: np.ndarray, shares: np.ndarray, weights: np.ndarray) -> float:
    return _signed(metric, truth, weighted_choices(shares, weights))


def _signed(metric: Metric, truth: Any, choices: Any) -> float:
    """The score, more is better."""
    return metric(truth, choices) if metric.higher_is_better else -metric(truth, choices)
