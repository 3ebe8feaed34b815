"""What is promised of predictions: by target, its sets or intervals, and which rows are left without an answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from graftwork.evidence.sure.abstain import Abstention, abstention
from graftwork.evidence.sure.asked import CONFIDENCE, Method, check_coverage, check_error
from graftwork.evidence.sure.calibration import Calibration, calibrated_targets
from graftwork.evidence.sure.conformal import Sets, conformal_sets
from graftwork.evidence.sure.intervals import Intervals, conformal_intervals
from graftwork.tasks.capabilities import Labelled
from graftwork.tasks.task import Task


@dataclass(frozen=True)
class Promises:
    """By target: sets of classes, intervals of numbers, abstention; a target has what its task allows."""

    tasks: Mapping[str, Task]
    sets: Mapping[str, Sets] = field(default_factory=dict)
    intervals: Mapping[str, Intervals] = field(default_factory=dict)
    abstention: Mapping[str, Abstention] = field(default_factory=dict)

    def sets_of(self, target: str, kept: np.ndarray) -> list[list[Any] | None]:
        """The classes in the set of each row, the most probable first; None for a row that was not read (NaN)."""
        task = self.tasks[target]
        chosen = self.sets[target].chosen(kept)
        values = task.labels.values(np.arange(task.outputs)) if isinstance(task, Labelled) else list(task.classes)
        order = np.argsort(-np.nan_to_num(kept), axis=1, kind="stable")
        unread = np.isnan(kept).any(axis=1)
        return [
            None if unread[row] else [values[at] for at in order[row] if chosen[row, at]] for row in range(len(kept))
        ]

    def label_type(self, target: str) -> pa.DataType:
        """The type of a class in a column."""
        task = self.tasks[target]
        return pa.type_for_alias(task.labels.type) if isinstance(task, Labelled) else pa.string()

    def abstains(self, target: str, kept: np.ndarray | None, rows: int) -> np.ndarray:
        """Which rows are left without an answer (N,); those that were not read are not among them."""
        if target not in self.abstention or kept is None:
            return np.zeros(rows, bool)
        read, found = ~np.isnan(kept).any(axis=1), np.zeros(rows, bool)
        found[read] = self.abstention[target].abstains(self.tasks[target], kept[read])
        return found


def promises(
    tasks: Mapping[str, Task],
    known: Mapping[str, Calibration],
    *,
    coverage: float | None = None,
    method: Method = "lac",
    abstain: float | None = None,
    confidence: float = CONFIDENCE,
) -> Promises:
    """coverage: of sets and intervals; abstain: the error of what is answered; None for neither.

    Raises UsageError where there is nothing to rest them on (`calibrated_targets`), where rows are too few, and for
    numbers that are not between 0 and 1.
    """
    sets, intervals, silent = dict[str, Sets](), dict[str, Intervals](), dict[str, Abstention]()
    if coverage is not None:
        check_coverage(coverage)
        for name, rows in calibrated_targets(tasks, known, "A coverage").items():
            if tasks[name].answer == "number":
                intervals[name] = conformal_intervals(tasks[name], rows, coverage)
            else:
                sets[name] = conformal_sets(tasks[name], rows, coverage, method)
    if abstain is not None:
        check_error(abstain, confidence)
        chosen = {name: task for name, task in tasks.items() if task.answer in ("class", "classes")} or tasks
        for name, rows in calibrated_targets(chosen, known, "Abstention").items():
            silent[name] = abstention(tasks[name], rows, abstain, confidence)
    return Promises(tasks, sets, intervals, silent)
