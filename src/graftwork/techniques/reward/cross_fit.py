"""Models of a log, each row's by other rows: what each action would bring, and how probable it was to be chosen.

Rows are dealt into folds, and what is said of a row is learned from the other folds alone (Chernozhukov et al. 2018),
so that what a row brought itself is not counted twice.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from graftwork.networks.heads.solving.fitting import choose_l2
from graftwork.networks.heads.solving.linear import Rows, solve_linear, standardise
from graftwork.networks.heads.solving.problem import Check, unhurried

PENALTIES = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 1000.0)
"""Of ridge, on features of mean squared length 1; the last one leaves little but the mean."""
SHRUNK = 5.0
"""An action's mean reward counts as many rows of the mean of all actions beside its own."""


def dealt(rows: int, folds: int, seed: int) -> np.ndarray:
    """The fold of each row (N,), as even as can be."""
    order = np.random.default_rng(seed).permutation(rows)
    fold = np.empty(rows, np.int64)
    fold[order] = np.arange(rows) % folds
    return fold


def scaled(features: np.ndarray, used: np.ndarray) -> np.ndarray:
    """Features (N, F), float32, with mean 0 and variance 1 over the rows used (N,), and a mean squared length of 1."""
    shift, scale = standardise(features, used.astype(np.float32))
    return np.asarray((features - shift) * (scale / math.sqrt(features.shape[1])), np.float32)


def expected_rewards(
    features: np.ndarray,
    action: np.ndarray,
    reward: np.ndarray,
    actions: int,
    fold: np.ndarray,
    check: Check = unhurried,
) -> np.ndarray:
    """The reward to expect of each action (N, K), float32, by a ridge regression of each action's own rows.

    features: `scaled` (N, F). action (N,): -1 for rows that teach nothing. fold (N,). The penalty is the one that
    misses the rewards of held-out rows least.
    """
    known = action >= 0
    folds = np.unique(fold)
    models = [_fitted(features, action, reward, actions, known & (fold != held), check) for held in folds]
    missed = np.zeros(len(PENALTIES))
    for held, (weights, means) in zip(folds, models, strict=True):
        rows = np.flatnonzero(known & (fold == held))
        chosen = action[rows]
        for at in range(len(PENALTIES)):
            said = np.einsum("nf,nf->n", features[rows], weights[at][chosen]) + means[at][chosen]
            missed[at] += float(np.square(reward[rows] - said).sum())
    best, found = int(missed.argmin()), np.zeros((len(features), actions), np.float32)
    for held, (weights, means) in zip(folds, models, strict=True):
        found[fold == held] = features[fold == held] @ weights[best].T + means[best]
    return found


def _fitted(
    features: np.ndarray, action: np.ndarray, reward: np.ndarray, actions: int, used: np.ndarray, check: Check
) -> tuple[np.ndarray, np.ndarray]:
    """Weights by penalty and action (P, K, F), and the constants beside them (P, K)."""
    weights = np.zeros((len(PENALTIES), actions, features.shape[1]), np.float32)
    middle = float(reward[used].mean()) if used.any() else 0.0
    means = np.full((len(PENALTIES), actions), middle)
    for one in range(actions):
        check()
        rows = np.flatnonzero(used & (action == one))
        if len(rows):
            mean = (reward[rows].sum() + SHRUNK * middle) / (len(rows) + SHRUNK)
            centre = features[rows].mean(axis=0, dtype=np.float64)  # a log shows an action in rows of its own kind
            weights[:, one] = ridge(features[rows] - centre, reward[rows] - mean)
            means[:, one] = mean - weights[:, one] @ centre
    return weights, means


def ridge(features: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """The weights (P, F) that minimise squared errors plus each penalty * |weights|², without a constant."""
    rows, width = features.shape
    penalties = np.array(PENALTIES)[:, None]
    if rows <= width:
        values, vectors = np.linalg.eigh(features @ features.T)
        inner = (vectors.T @ targets) / (np.maximum(values, 0.0) + penalties)
        return np.asarray((inner @ vectors.T) @ features)
    values, vectors = np.linalg.eigh(features.T @ features)
    inner = (vectors.T @ (features.T @ targets)) / (np.maximum(values, 0.0) + penalties)
    return np.asarray(inner @ vectors.T)


@dataclass(frozen=True)
class _Choice:
    """Which of K actions was chosen, as a problem that can be solved."""

    outputs: int
    facts: frozenset[str] = frozenset({"hard_labels"})

    @property
    def name(self) -> str:
        return "choice"

    def loss(self, predictions: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(predictions, target, reduction="none")


def choice_propensities(
    features: np.ndarray, action: np.ndarray, actions: int, fold: np.ndarray, seed: int, check: Check = unhurried
) -> np.ndarray:
    """How probable the logged action of each row was (N,), by a logistic regression on the other folds; 1 where it is
    missing (-1). features: `scaled` (N, F)."""
    known, task = action >= 0, _Choice(actions)
    targets = np.maximum(action, 0)
    identity = torch.zeros(features.shape[1]), torch.ones(features.shape[1])
    everything = Rows(features, targets, known.astype(np.float32), *identity)
    l2, _ = choose_l2(everything, task, seed, check)
    found = np.ones(len(features))
    for held in np.unique(fold):
        used = (known & (fold != held)).astype(np.float32)
        solved = solve_linear(Rows(features, targets, used, *identity), task, l2=l2, check=check)
        rows = np.flatnonzero(known & (fold == held))
        logits = torch.from_numpy(features[rows]) @ solved.weight.T + solved.bias
        found[rows] = torch.softmax(logits.double(), dim=1).numpy()[np.arange(len(rows)), targets[rows]]
    return found
