"""Calibration: what a model says of labelled rows that neither taught nor chose it. Sets, intervals and abstention
are promises that rest on these rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from graftwork.errors import DataError, UsageError
from graftwork.shown import counted
from graftwork.tasks.task import Task

MOST_ROWS, MOST_NUMBERS = 10_000, 4_000_000
"""Rows that are kept at most, drawn at random, and numbers: more would make a promise no sharper, and a file large."""


@dataclass(frozen=True)
class Calibration:
    """Of one target. kept: what the task reads of M predictions (`Task.in_units`), (M, outputs). truth: as `Task.truth`
    gives it: class indices (M,), the classes of each row (M, C), or numbers (M,). source: which rows these are.
    """

    kept: np.ndarray
    truth: np.ndarray
    source: str = ""

    def __len__(self) -> int:
        return len(self.truth)

    def part(self, rows: np.ndarray) -> Calibration:
        """Only these rows."""
        return Calibration(self.kept[rows], self.truth[rows], self.source)


def halves(rows: Calibration, seed: int = 0) -> tuple[Calibration, Calibration]:
    """Two random halves, the first one with a row more where they can't be alike. Raises DataError for one row."""
    if len(rows) < 2:
        raise DataError(f"There is {counted(len(rows), 'calibration row')}. Expected two at least, one for each half.")
    order, middle = np.random.default_rng(seed).permutation(len(rows)), (len(rows) + 1) // 2
    return rows.part(order[:middle]), rows.part(order[middle:])


def can_be_calibrated(task: Task) -> bool:
    """Whether there are sets or intervals for a task: one class, any number of classes, or a number, of a row."""
    if task.holds_out != "rows" or task.target != "column":
        return False
    return task.answer == "number" or (task.answer in ("class", "classes") and task.outputs > 1)


def calibration_of(task: Task, targets: Any, labelled: np.ndarray, kept: Any, source: str) -> Calibration | None:
    """Of labelled rows; None where there is none, or the task has no sets and no intervals.

    targets, labelled: of N rows, as `task.encode_rows` gives them. kept: as `task.in_units` gives it (N, outputs).
    """
    if not can_be_calibrated(task):
        return None
    rows = np.flatnonzero(labelled & np.isfinite(kept).all(axis=1))
    most = min(MOST_ROWS, max(1, MOST_NUMBERS // task.outputs))
    if len(rows) > most:
        rows = np.sort(np.random.default_rng(0).choice(rows, most, replace=False))
    if not len(rows):
        return None
    return Calibration(np.asarray(kept[rows]), np.asarray(task.truth(targets[rows])), source)


def kinds_of(tasks: Mapping[str, Task]) -> str:
    """The names of tasks, for a message."""
    return ", ".join(dict.fromkeys(task.name for task in tasks.values()))


HOW = (
    "Give it some that it has not learned from: graft calibrate MODEL labelled.csv. Or fit again with --set "
    "calibration_share=0.1, or with --test labelled.csv."
)
"""Where calibration rows come from."""


def calibrated_targets(
    tasks: Mapping[str, Task], known: Mapping[str, Calibration], asked: str
) -> dict[str, Calibration]:
    """By target, the calibration rows of those that can have any. asked: the option that needs them.

    Raises UsageError where no target can, or one that can has none.
    """
    can = [name for name, task in tasks.items() if can_be_calibrated(task)]
    if not can:
        raise UsageError(f"{asked} is for classes, label sets and numbers, one a row; not for {kinds_of(tasks)}.")
    lacking = [name for name in can if name not in known]
    if lacking:
        of = "" if len(tasks) == 1 else f" for {', '.join(lacking)}"
        raise UsageError(f"{asked} needs calibration rows, and this model has none{of}. {HOW}")
    return {name: known[name] for name in can}
