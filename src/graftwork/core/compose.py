"""Composition: the grafts of all techniques become one set of stages for the training step.

    inputs -> gradient( objective( forward -> task + losses ) -> combine ) -> optimizer -> after_step

The techniques come in the plan's order. Wrapped stages (objective, gradient) nest with the first technique outermost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from math import prod
from typing import TypeVar

import numpy as np
import torch
from torch import nn

from graftwork.core.contract.aim import Aim
from graftwork.core.rows.corruption import Corruption
from graftwork.core.technique import Gradient, Graft, LossOutput, Multiplier, Objective, TaskLoss, Term, Terms
from graftwork.data.batch import Batch
from graftwork.networks.network import Forward, Network, Output
from graftwork.tasks.task import Task

T = TypeVar("T")


@dataclass(frozen=True)
class Stages:
    """What every step of a run does, all techniques together.

    reference: of the first technique that has one; None where none has. aims: of that one.
    told: terms whose means the history keeps.
    """

    rows: np.ndarray | None
    sampler: Callable[[int], list[np.ndarray]] | None
    replays: int
    inputs: Callable[[Batch], Batch]
    objective: Objective
    gradient: Gradient
    groups: Callable[[str], Multiplier]
    after_step: Callable[[Network], None]
    view: Callable[[Network], Network]
    fold: Callable[[Network], Network]
    reference: Callable[[Network], Network] | None
    aims: Mapping[str, Aim]
    told: tuple[str, ...]
    state: nn.ModuleDict
    generators: Mapping[str, torch.Generator]


def compose(
    names: Sequence[str], grafts: Sequence[Graft], tasks: Mapping[str, Task], corruption: Corruption | None = None
) -> Stages:
    """One set of stages from the grafts, which stand in the plan's order; `names` are their techniques' names.

    corruption: what the tasks themselves do to the inputs.
    """
    inputs = [graft.inputs for graft in grafts if graft.inputs]
    own = {} if corruption is None else corruption.generators
    if corruption is not None:
        inputs = [corruption.before, *inputs, corruption.behind]
    weights = [graft.rows for graft in grafts if graft.rows is not None]
    task = next((graft.task for graft in grafts if graft.task), task_losses(tasks))
    losses = [graft.losses for graft in grafts if graft.losses]
    objective: Objective = _measure(task, losses)
    for graft in reversed(grafts):
        objective = graft.objective(objective) if graft.objective else objective
    gradient: Gradient = descend
    for graft in reversed(grafts):
        gradient = graft.gradient(gradient) if graft.gradient else gradient
    return Stages(
        rows=reduce(np.multiply, weights) if weights else None,
        sampler=next((graft.sampler for graft in grafts if graft.sampler), None),
        replays=prod(graft.replays for graft in grafts if graft.replays),
        inputs=_chain(inputs),
        objective=_combined(objective, [graft.combine for graft in grafts if graft.combine]),
        gradient=gradient,
        groups=_product([graft.groups for graft in grafts if graft.groups]),
        after_step=_each([graft.after_step for graft in grafts if graft.after_step]),
        view=_chain([graft.view for graft in grafts if graft.view]),
        fold=_chain([graft.fold for graft in reversed(grafts) if graft.fold]),
        reference=next((graft.reference for graft in grafts if graft.reference), None),
        aims=next((graft.aims or {} for graft in grafts if graft.reference), {}),
        told=tuple(dict.fromkeys(name for graft in grafts for name in graft.told or ())),
        state=nn.ModuleDict(
            {name: graft.state for name, graft in zip(names, grafts, strict=True) if graft.state is not None}
        ),
        generators={
            f"{name}.{key}": generator
            for name, graft in zip(names, grafts, strict=True)
            for key, generator in (graft.generators or {}).items()
        }
        | dict(own),
    )


def task_losses(tasks: Mapping[str, Task]) -> TaskLoss:
    """Each target's own loss on its labelled rows, times the rows' weights."""

    def measure(batch: Batch, output: Output) -> Terms:
        terms = {}
        for name, task in tasks.items():
            value = task.loss(output.predictions[name], batch.targets[name]) * batch.labelled[name]
            value = value if batch.weight is None else value * batch.weight
            terms[name] = Term(value, batch.labelled_size[name])
        return terms

    return measure


def descend(objective: Objective, network: Network, batch: Batch) -> LossOutput:
    """The plain gradient: one objective, one backward."""
    measured = objective(network.as_forward(), batch)
    measured.total.backward()  # type: ignore[no-untyped-call]
    return measured


def _measure(task: TaskLoss, losses: Sequence[TaskLoss]) -> Objective:
    def objective(forward: Forward, batch: Batch) -> LossOutput:
        output = forward(batch)
        terms = dict(task(batch, output))
        for more in losses:
            terms.update(more(batch, output))
        return LossOutput(terms, output)

    return objective


def _combined(objective: Objective, combines: Sequence[Callable[[Batch, Terms], Terms]]) -> Objective:
    if not combines:
        return objective

    def combined(forward: Forward, batch: Batch) -> LossOutput:
        measured = objective(forward, batch)
        return LossOutput(
            reduce(lambda terms, combine: combine(batch, terms), combines, measured.terms), measured.output
        )

    return combined


def _chain(functions: Sequence[Callable[[T], T]]) -> Callable[[T], T]:
    return lambda value: reduce(lambda result, function: function(result), functions, value)


def _each(functions: Sequence[Callable[[Network], None]]) -> Callable[[Network], None]:
    def call(network: Network) -> None:
        for function in functions:
            function(network)

    return call


def _product(functions: Sequence[Callable[[str], Multiplier]]) -> Callable[[str], Multiplier]:
    def multiply(name: str) -> Multiplier:
        factors = [function(name) for function in functions]
        return Multiplier(float(np.prod([f.lr for f in factors])), float(np.prod([f.decay for f in factors])))

    return multiply
