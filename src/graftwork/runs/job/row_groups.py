"""Groups of rows, by the table's categories, in which one target is predicted clearly worse than in the others."""

from __future__ import annotations

import numpy as np

from graftwork.data.table import Table
from graftwork.evidence.scores.groups import Group, worse_groups
from graftwork.runs.job.held_out import encoded
from graftwork.tasks.task import Task


def groups_of(task: Task, target: str, table: Table, values: np.ndarray) -> tuple[Group, ...]:
    """values: what `task.scored` gives of the table's rows. None for tasks that have no one right answer a row."""
    numbers = task.answer == "number"
    if not numbers and task.answer != "class":
        return ()
    targets, labelled = encoded(table, target, task)
    truth, given = task.metric_inputs(targets[labelled], values[labelled])
    chosen = task.predicted(given)
    bad = np.full(len(table), np.nan)
    bad[labelled] = np.abs(chosen - truth) if numbers else chosen != truth
    return worse_groups(table, bad)
