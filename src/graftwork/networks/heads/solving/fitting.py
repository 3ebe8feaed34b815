"""A linear head solved: the convex problem of `solving.linear`, with a penalty that is chosen on held-out rows."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import nn

from graftwork.networks.heads.solving.linear import Linear, Rows, solve_linear, solve_path
from graftwork.networks.heads.solving.problem import Check, Problem, SolvableHead, Solved, unhurried

STRENGTHS = (4.0, 1.0, 1 / 4, 1 / 16, 1 / 64, 1 / 256)
"""Penalties that "auto" tries, on features of mean squared length 1."""
USUAL = 1 / 16
"""The penalty where rows are too few to hold some out: the best one of few-shot trials on four text data sets."""
ENOUGH = 10
"""Rows a class (five times as many in all, without classes) from which a fifth is held out to choose the penalty."""
CHOOSE_ON = 5_000
"""Rows on which the penalty is chosen at most."""


def fit_linear(head: SolvableHead, problem: Problem, near: SolvableHead | None = None) -> float:
    """Write the solution of the linear problem into the head, and return the penalty that was used. near: a head that
    is solved for other rows of the same kind, from which the search begins; the solution does not depend on it."""
    shift, scale = head.standardise(problem)
    # The penalty means the same for every width if the squared length of the features is 1 on average.
    length = math.sqrt(problem.features.shape[1])
    rows = Rows(problem.features, problem.targets, problem.importance, shift, scale / length)
    layer = _last_layer(head)
    start = None if near is None else _as_solved(near, length)
    l2 = problem.l2
    if l2 == "auto":
        l2, start = choose_l2(rows, problem.task, problem.seed, problem.check)
    solution = solve_linear(rows, problem.task, l2=l2, start=start, check=problem.check)
    with torch.no_grad():
        layer.weight.copy_(solution.weight / length)
        layer.bias.copy_(solution.bias)
    return l2


def _last_layer(head: SolvableHead) -> nn.Linear:
    return [layer for layer in head.layers if isinstance(layer, nn.Linear)][-1]


def _as_solved(head: SolvableHead, length: float) -> Linear:
    """The solution as the problem has it, of features of mean squared length 1."""
    layer = _last_layer(head)
    return Linear(layer.weight.detach() * length, layer.bias.detach().clone())


def choose_l2(rows: Rows, task: Solved, seed: int, check: Check = unhurried) -> tuple[float, Linear | None]:
    """The penalty of lowest loss on a fifth of the rows, and its solution on the others."""
    generator = np.random.default_rng(seed)
    held_out = _fifth(rows, task, generator)
    if held_out is None:
        return USUAL, None
    kept, held = (_picked(rows, chosen) for chosen in held_out)
    return solve_path(kept, held, task, STRENGTHS, check)


def _fifth(rows: Rows, task: Solved, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray] | None:
    """Rows to keep and a fifth to hold out, by class where there is one; None where rows are too few."""
    labelled = np.flatnonzero(rows.weight > 0)
    if len(labelled) > CHOOSE_ON:
        labelled = np.sort(generator.choice(labelled, CHOOSE_ON, replace=False))
    by_class = "hard_labels" in task.facts
    classes = rows.targets[labelled] if by_class else np.zeros(len(labelled), np.int64)
    if np.median(np.unique_counts(classes).counts) < (ENOUGH if by_class else 5 * ENOUGH):
        return None
    shuffled = generator.permutation(len(labelled))
    order = shuffled[np.argsort(classes[shuffled], kind="stable")]
    held = np.zeros(len(labelled), bool)
    held[order[2::5]] = True
    return labelled[~held], labelled[held]


def _picked(rows: Rows, chosen: np.ndarray) -> Rows:
    return Rows(rows.features[chosen], rows.targets[chosen], rows.weight[chosen], rows.shift, rows.scale)
