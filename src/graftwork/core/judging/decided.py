"""Decisions by what answers cost: the choice of least expected cost of each row, from calibrated probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeAlias, cast

import numpy as np

from graftwork.core.judging.predicted import Predicted
from graftwork.data.read.source import Source
from graftwork.errors import UsageError, nearest
from graftwork.tasks.capabilities import Calibrated
from graftwork.tasks.costs import CostMatrix, bayes, read_costs
from graftwork.tasks.labels import shortened
from graftwork.tasks.task import Task

Costs: TypeAlias = CostMatrix | Source | Mapping[str, CostMatrix | Source]  # fmt: skip
"""A matrix or its table, of a model with one target of classes; or that by target."""

UNKNOWN = -1
"""The choice in a row that has no probabilities."""


def costs_of(tasks: Mapping[str, Task], given: Costs | None) -> dict[str, CostMatrix]:
    """By target, what answers cost; nothing where nothing is given.

    Raises UsageError for a target that there is not, or of which no single class is predicted, and where it is not
    clear which is meant; DataError for a table that is no matrix of the target's classes.
    """
    if given is None:
        return {}
    able = [name for name, task in tasks.items() if has_costs(task)]
    if isinstance(given, Mapping) and set(given) and set(given) <= set(tasks):
        named = dict(cast(Mapping[str, CostMatrix | Source], given))
    elif isinstance(given, Mapping) and all(isinstance(value, str) for value in given.values()):
        raise UsageError(f"costs name '{next(iter(given))}', which is no target. {nearest(next(iter(given)), tasks)}")
    elif len(able) > 1:
        raise UsageError(f"This model predicts {', '.join(able)}. Say whose costs they are: TARGET=costs.csv.")
    else:
        named = dict.fromkeys(able or list(tasks)[:1], cast(CostMatrix | Source, given))
    for name in named:
        if name not in able:
            raise UsageError(
                f"Costs are for targets with one class a row; the task of '{name}' is {tasks[name].name}. "
                "Leave them out."
            )
    return {name: _matrix(tasks[name], name, one) for name, one in named.items()}


def has_costs(task: Task) -> bool:
    """Whether each row gets one of several known classes, each with a calibrated probability."""
    return task.answer == "class" and task.outputs > 1 and task.holds_out == "rows" and isinstance(task, Calibrated)


def choices(probabilities: np.ndarray, costs: CostMatrix) -> np.ndarray:
    """`bayes` of each row (N,); -1 for rows without probabilities."""
    known = ~np.isnan(probabilities).any(axis=1)
    found = np.full(len(probabilities), UNKNOWN, np.int64)
    found[known] = bayes(probabilities[known], costs)
    return found


def decided(predicted: Predicted, tasks: Mapping[str, Task], costs: Mapping[str, CostMatrix]) -> Predicted:
    """The predictions with the choices of least expected cost in place of the most probable classes.

    None where abstaining is cheapest. A row without probabilities keeps what it has.
    """
    values = dict(predicted.each_values)
    for name, matrix in costs.items():
        found = choices(predicted.each_probabilities[name], matrix)
        answered = (found != UNKNOWN) & (found < len(matrix.classes))
        chosen = iter(tasks[name].decode(np.eye(len(matrix.classes))[found[answered]]))
        values[name] = [
            next(chosen) if answers else (value if choice == UNKNOWN else None)
            for value, choice, answers in zip(values[name], found.tolist(), answered.tolist(), strict=True)
        ]
    return replace(predicted, each_values=values)


def _matrix(task: Task, name: str, given: CostMatrix | Source) -> CostMatrix:
    if not isinstance(given, CostMatrix):
        return read_costs(given, task.classes)
    if given.classes != task.classes:
        raise UsageError(
            f"The costs are of the classes {shortened(given.classes)}, and '{name}' has {shortened(task.classes)}. "
            "Expected the same in the same order."
        )
    return given
