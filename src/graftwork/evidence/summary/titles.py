"""What a model does, as the question it answers in the names of the user's columns, and what it is built on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from graftwork.evidence.words import listed, quoted
from graftwork.networks.base_settings import BaseSettings
from graftwork.shown import counted
from graftwork.tasks.capabilities import Episodic
from graftwork.tasks.task import Task

_ROW = 3
"""Inputs that are named; more are a row."""


def title(tasks: Mapping[str, Task], inputs: Sequence[str]) -> str:
    """Of the tasks by their targets. inputs: the columns that are read."""
    if len(tasks) > 1:
        return f"What are {listed(list(tasks))}, told from {_row(inputs)}?"
    target, task = next(iter(tasks.items()))
    name, told = quoted(target), f"told from {_row(inputs)}"
    if task.target == "inputs":
        return f"Which {' and '.join(map(quoted, inputs[:2]))} belong together?"
    if isinstance(task, Episodic):
        return f"Which new {name} is it, after a few examples of each, {told}?"
    if task.holds_out == "classes":
        return f"Is it the same {name}, {told}?"
    if task.answer == "number":
        return f"How large is {name}, {told}?"
    if task.answer == "class":
        answers = counted(len(task.classes), "answer")
        if len(inputs) == 1:
            return f"Which {name} does this {quoted(inputs[0])} have? {answers}"
        return f"Which {name} is it, {told}? {answers}"
    if task.answer == "classes":
        return f"Which of {counted(len(task.classes), 'label')} in {name} fit, {told}?"
    return f"What is {name}, {told}?"


def base_words(bases: Mapping[str, BaseSettings]) -> tuple[str, ...]:
    """Each base once: its name or its folder's, and what it is. bases: by input."""
    found = {}
    for base in bases.values():
        path = getattr(base, "path", "")
        name = Path(path).name if path else base.name
        found[name] = f"{name} (pretrained, for {base.modality})" if path else f"{name} ({base.summary})"
    return tuple(found.values())


def _row(inputs: Sequence[str]) -> str:
    if len(inputs) == 1:
        return quoted(inputs[0])
    return listed(list(inputs)) if len(inputs) <= _ROW else counted(len(inputs), "column")
