"""Class counts and hard labels: shared by the techniques that treat classes by their frequency or compare them."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from graftwork.core.technique import Setup
from graftwork.errors import RefusedError


def balance(targets: np.ndarray, labelled: np.ndarray, classes: int, power: float) -> np.ndarray:
    """A weight for each class (C,): `(N / (K * count)) ** power` over the K classes that occur, 1 on average over rows.

    Power 1 is scikit-learn's `class_weight="balanced"`. A class without a row gets the weight 1.

    >>> balance(np.array([0, 0, 0, 1]), np.ones(4, bool), classes=2, power=1.0).round(3).tolist()
    [0.667, 2.0]
    """
    counts = np.bincount(targets[labelled], minlength=classes).astype(np.float64)
    occurs = counts > 0
    weights = np.ones(classes)
    weights[occurs] = (counts.sum() / (occurs.sum() * counts[occurs])) ** power
    weights[occurs] /= (weights * counts)[occurs].sum() / counts.sum()
    return weights


def class_tables(technique: str, setup: Setup, power: float) -> dict[str, np.ndarray]:
    """For each target with one class a row, the weight of its classes (C,). Raises RefusedError if there is none."""
    tables = {
        name: balance(setup.targets[name], setup.labelled[name], task.outputs, power)
        for name, task in setup.tasks.items()
        if "hard_labels" in task.facts
    }
    if not tables:
        kinds = ", ".join(f"'{name}' ({task.name})" for name, task in setup.tasks.items())
        raise RefusedError(
            f"{technique} needs a target with one class a row, but this run predicts {kinds}. "
            f"Drop {technique}, or use --task classification."
        )
    return tables


def row_weights(setup: Setup, tables: dict[str, np.ndarray]) -> np.ndarray:
    """The weight of each training row (N,): the weights of several targets multiply; a missing label counts as 1."""
    weights = np.ones(setup.rows)
    for name, table in tables.items():
        labelled = setup.labelled[name]
        weights[labelled] *= table[setup.targets[name][labelled]]
    return weights


def hard(target: Tensor) -> Tensor:
    """Class indices (B,) of targets that may have been softened to rows of probabilities."""
    return target.argmax(dim=1) if target.ndim == 2 else target


def class_groups(classes: np.ndarray, group: int, batch: int, draw: np.random.Generator) -> list[np.ndarray]:
    """Every row once, in batches of about `batch` rows that are made of groups of at most `group` rows of one class.

    classes (N,); -1 is a class of its own.
    """
    shuffled = draw.permutation(len(classes))
    in_classes = shuffled[np.argsort(classes[shuffled], kind="stable")]
    edges = np.flatnonzero(np.diff(classes[in_classes])) + 1
    groups = [
        rows[start : start + group] for rows in np.split(in_classes, edges) for start in range(0, len(rows), group)
    ]
    mixed = [groups[index] for index in draw.permutation(len(groups))]
    count = max(1, round(len(classes) / batch))
    return [np.concatenate(mixed[start::count]) for start in range(min(count, len(mixed)))]
