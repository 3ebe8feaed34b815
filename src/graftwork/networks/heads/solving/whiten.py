"""Solving a cosine head: features are whitened within classes, and each class points to the mean of its rows.

Directions in which rows of one class differ (light, pose, the wording of a question) are shrunk, so that what is left
tells classes apart, also those that training never had. In closed form: with the covariance S within classes and its
mean variance m, features are multiplied by (S + penalty * m * I)^(-1/2). The penalty is the one with the lowest equal
error rate on classes that are held out in turn.

Source: Hatch, Kajarekar & Stolcke 2006 (within-class covariance normalisation); it is the part of PLDA and of linear
discriminant analysis that does not throw directions away.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from graftwork.errors import RefusedError
from graftwork.networks.heads.layers.cosine import CosineLayer, Projection
from graftwork.networks.heads.solving.problem import Problem, SolvableHead
from graftwork.networks.likeness import pairs_of, roc

PENALTIES = (0.1, 0.3, 1.0, 3.0, 10.0)
USUAL = 1.0
"""The penalty where classes are too few to hold some out."""
FOLDS = 3
FEWEST_CLASSES = 6
USED = 20_000
"""Rows that are learned from at most."""


def fit_cosine(head: SolvableHead, projection: Projection, layer: CosineLayer, problem: Problem) -> float:
    """Solve a cosine head on the rows of weight above 0, and return the penalty that was chosen.

    Raises RefusedError for a task without one class a row.
    """
    features, targets, task, seed = problem.features, problem.targets, problem.task, problem.seed
    if "hard_labels" not in task.facts:
        raise RefusedError(
            f"The head 'cosine' can't be solved for the task {task.name}, whose rows don't have one class each. "
            "Use the head linear, or the task classification or identity."
        )
    used = problem.used(USED)
    # Not scaled: whitening does that, and features that hardly vary at all would become mere noise.
    shift = torch.from_numpy(features[used].mean(axis=0, dtype=np.float64).astype(np.float32)).to(head.shift.device)
    head.shift.copy_(shift)
    head.scale.fill_(1.0)
    rows, classes = features[used] - shift.cpu().numpy(), targets[used]
    penalty = choose_penalty(rows, classes, seed)
    matrix = spread_within(rows, classes).whitening(penalty)
    directions = class_directions(rows @ matrix, classes, head.outputs)
    projection.matrix = torch.from_numpy(matrix).to(shift.device)
    layer.weight = nn.Parameter(torch.from_numpy(directions).to(shift.device), layer.weight.requires_grad)
    return penalty


@dataclass(frozen=True)
class Spread:
    """How rows of one class differ: variances (R,) along directions (R, F), and the mean variance of all F."""

    variances: np.ndarray
    directions: np.ndarray
    mean: float

    def whitening(self, penalty: float) -> np.ndarray:
        """`(S + penalty * mean * I)^(-1/2)` times the root of the mean, symmetric (F, F), float32."""
        floor = max(penalty * self.mean, 1e-12)
        gain = 1 / np.sqrt(self.variances + floor) - 1 / np.sqrt(floor)
        matrix = (self.directions.T * gain) @ self.directions
        matrix[np.diag_indices_from(matrix)] += 1 / np.sqrt(floor)
        return np.asarray(matrix * np.sqrt(max(self.mean, 1e-12)), np.float32)


def spread_within(features: np.ndarray, classes: np.ndarray) -> Spread:
    """features (N, F), classes (N,)."""
    _, codes, sizes = np.unique(classes, return_inverse=True, return_counts=True)
    sums = np.zeros((len(sizes), features.shape[1]))
    np.add.at(sums, codes, features)
    inside = features - (sums / sizes[:, None])[codes]
    if len(inside) < inside.shape[1]:
        _, lengths, directions = np.linalg.svd(inside / np.sqrt(len(inside)), full_matrices=False)
        variances = lengths**2
    else:
        variances, columns = np.linalg.eigh(inside.T @ inside / len(inside))
        variances, directions = np.maximum(variances, 0.0), columns.T
    return Spread(variances, directions, float(variances.sum() / features.shape[1]))


def choose_penalty(features: np.ndarray, classes: np.ndarray, seed: int) -> float:
    """The penalty of lowest mean equal error rate over thirds of the classes, each held out once."""
    names, sizes = np.unique(classes, return_counts=True)
    repeated = np.random.default_rng(seed).permutation(names[sizes > 1])
    if len(repeated) < FEWEST_CLASSES:
        return USUAL
    errors = np.zeros(len(PENALTIES))
    for fold in range(FOLDS):
        held = np.isin(classes, repeated[fold::FOLDS])
        spread = spread_within(features[~held], classes[~held])
        for at, penalty in enumerate(PENALTIES):
            errors[at] += roc(pairs_of(classes[held], features[held] @ spread.whitening(penalty))).eer
    return PENALTIES[int(errors.argmin())]


def class_directions(embeddings: np.ndarray, classes: np.ndarray, outputs: int) -> np.ndarray:
    """Mean direction of each class's rows (outputs, E); zeros for a class without rows."""
    lengths = np.linalg.norm(embeddings, axis=1, keepdims=True)
    sums = np.zeros((outputs, embeddings.shape[1]), np.float32)
    np.add.at(sums, classes, embeddings / np.maximum(lengths, 1e-12))
    counts = np.bincount(classes, minlength=outputs)
    return np.asarray(sums / np.maximum(counts, 1)[:, None], np.float32)
