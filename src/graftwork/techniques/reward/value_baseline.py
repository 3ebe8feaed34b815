"""What return was to be expected in each situation: a ridge regression that is fitted on the other rollouts."""

from __future__ import annotations

import numpy as np

from graftwork.data.rollouts import NONE, Rollouts

FOLDS = 5
"""Parts of the rollouts; each is predicted by a fit on the others."""
PENALTIES = (1e-3, 1e-2, 1e-1, 1.0, 10.0)
"""Strengths of the ridge, by the mean square of a feature; the one that predicts best is taken."""


def expected_returns(features: np.ndarray, rollouts: Rollouts, returns: np.ndarray) -> np.ndarray:
    """The expected return to go of each row (N,), float64, predicted by rollouts that it does not belong to.

    features: what the heads read (N, width). returns (N,). Rows of no rollout get the mean, and teach nothing. With
    less than two rollouts all rows get the mean.
    """
    known = rollouts.rollout != NONE
    found = np.full(len(returns), float(returns[known].mean()) if known.any() else 0.0)
    names = np.unique(rollouts.rollout[known])
    folds = min(FOLDS, len(names))
    if folds < 2:
        return found
    fold = np.full(len(returns), NONE)
    fold[known] = np.searchsorted(names, rollouts.rollout[known]) % folds
    inputs = _standard(features, rollouts.place, known)
    predicted = {penalty: _predicted(inputs, returns, fold, folds, penalty) for penalty in PENALTIES}
    errors = {penalty: float(np.square(each[known] - returns[known]).mean()) for penalty, each in predicted.items()}
    best = predicted[min(errors, key=lambda penalty: errors[penalty])]
    found[known] = best[known]
    return found


def _standard(features: np.ndarray, place: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Features and the place in the rollout (N, width + 2), less their means and by their spreads; then a 1."""
    late = place[:, None].astype(np.float64)
    inputs = np.concatenate([np.asarray(features, np.float64), late, np.square(late)], axis=1)
    spread = inputs[known].std(axis=0)
    scaled = (inputs - inputs[known].mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return np.concatenate([scaled, np.ones((len(inputs), 1))], axis=1)


def _predicted(inputs: np.ndarray, returns: np.ndarray, fold: np.ndarray, folds: int, penalty: float) -> np.ndarray:
    """Of each row by the fit of the other folds (N,)."""
    grams = [inputs[fold == at].T @ inputs[fold == at] for at in range(folds)]
    sides = [inputs[fold == at].T @ returns[fold == at] for at in range(folds)]
    gram, side = sum(grams), sum(sides)
    ridge = np.eye(inputs.shape[1]) * penalty
    ridge[-1, -1] = 0.0  # the mean is not shrunk
    found = np.zeros(len(returns))
    for at in range(folds):
        rows = int((fold != NONE).sum() - (fold == at).sum())
        weights = np.linalg.lstsq(gram - grams[at] + rows * ridge, side - sides[at], rcond=None)[0]
        found[fold == at] = inputs[fold == at] @ weights
    return found
