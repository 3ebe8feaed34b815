"""What a model does, as the question it answers, in the names of the user's columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from graftwork.data.table import Schema
from graftwork.evidence.words import counted, listed, quoted
from graftwork.tasks.task import Task

_ROW = 3
"""Inputs that are named; more are a row."""


def title(tasks: Mapping[str, Task], schema: Schema) -> str:
    """Of the tasks by their targets, and of the columns that are read."""
    inputs = [column.name for column in schema.inputs]
    if len(tasks) > 1:
        return f"What are {listed(list(tasks))} of {_row(inputs)}?"
    target, task = next(iter(tasks.items()))
    name = quoted(target)
    if not task.reads_target:
        return f"Which {' and '.join(map(quoted, inputs[:2]))} belong together?"
    if "episodes" in task.facts:
        return f"Which new {name} does {_row(inputs)} have, after a few examples of each?"
    if task.open_set:
        return f"Is it the same {name}? Told from {_row(inputs)}"
    if "real_targets" in task.facts:
        return f"How large is {name}, told from {_row(inputs)}?"
    if "hard_labels" in task.facts:
        return f"Which {name} does {_row(inputs)} have? {counted(len(task.classes), 'answer')}"
    if task.classes:
        return f"Which of {counted(len(task.classes), 'label')} in {name} fit {_row(inputs)}?"
    return f"What is {name}, told from {_row(inputs)}?"


def _row(inputs: Sequence[str]) -> str:
    if len(inputs) == 1:
        return f"this {quoted(inputs[0])}"
    return listed(list(inputs)) if len(inputs) <= _ROW else f"a row of {counted(len(inputs), 'column')}"
