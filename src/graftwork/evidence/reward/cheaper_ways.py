"""Ways to the end of a reward that need no training: choices by costs or by thresholds, of calibrated probabilities."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from graftwork.core.contract.aim import Aim
from graftwork.core.judging.decided import has_costs
from graftwork.evidence.sure.calibration import Calibration
from graftwork.evidence.sure.thresholds import best_decisions, can_decide
from graftwork.tasks.costs import bayes
from graftwork.tasks.task import Task

_FEWEST = 20
"""Rows below which nothing is chosen by them."""


@dataclass(frozen=True)
class Way:
    """name: for a reader. how: what to do in place of the tuning. choices: in the form of `Task.predicted`."""

    name: str
    how: str
    choices: Any


Decide = Callable[[np.ndarray], Any]
"""Calibrated probabilities (N, C) -> choices."""


def cheaper_ways(
    task: Task, aim: Aim, rows: Calibration, tuning: Calibration | None, seed: int = 0, target: str = ""
) -> list[Way]:
    """Those that there are for this aim. target: its name, where there are several.

    rows: the truth, and the calibrated probabilities of the model that the tuning began from. tuning: the same of other
    rows, which choose thresholds; where there are none, each half of the rows is decided by what the other one chose.
    """
    if aim.costs is not None and has_costs(task):
        costs = shlex.quote(f"{target}={aim.called}" if target else aim.called)
        how = f"train without the reward and decide by costs: graft predict RUN TABLE --costs {costs}"
        return [Way("Bayes decisions, no reward", how, bayes(rows.kept, aim.costs))]
    metric = aim.metric
    if metric is None or metric.reads != "choices":
        return []
    how = f"train without the reward and choose thresholds: graft calibrate RUN LABELLED --metric {metric.name}"
    name = f"thresholds for {metric.display}, no reward"
    if not can_decide(task):
        return []
    return _chosen(name, how, lambda some: best_decisions(task, some, metric.name).predicted, rows, tuning, seed)


def _chosen(
    name: str,
    how: str,
    learn: Callable[[Calibration], Decide],
    rows: Calibration,
    tuning: Calibration | None,
    seed: int,
) -> list[Way]:
    """The choices of all rows, none of them by what it chose itself; nothing where rows are too few for that."""
    if tuning is not None:
        return [Way(name, how, learn(tuning)(rows.kept))] if len(tuning) >= _FEWEST else []
    if len(rows) < 2 * _FEWEST:
        return []
    order = np.random.default_rng(seed).permutation(len(rows))
    halves = order[: len(rows) // 2], order[len(rows) // 2 :]
    found = [learn(rows.part(other))(rows.kept[own]) for own, other in (halves, halves[::-1])]
    choices = np.empty((len(rows), *found[0].shape[1:]), found[0].dtype)
    for own, made in zip(halves, found, strict=True):
        choices[own] = made
    return [Way(name, how, choices)]
