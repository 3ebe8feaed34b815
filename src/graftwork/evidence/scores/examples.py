"""Rows worth looking at: those the model got most wrong, and those that take longest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graftwork.tasks.task import Task

SHOWN = 500
"""Mistakes that are kept of a set of rows, at most."""
LARGEST = 100
"""Of numbers, which are all a little wrong, so many."""


@dataclass(frozen=True)
class Example:
    """One row: its number in its source, its text, truth and prediction as text.

    probability: of what was predicted, None for numbers. tokens: its length, where known.
    """

    row: int
    text: str
    truth: str
    predicted: str
    probability: float | None = None
    tokens: int | None = None


@dataclass(frozen=True)
class Rows:
    """What is known of the rows besides targets: numbers, texts, tokens; `scored` are the positions scored."""

    scored: np.ndarray
    numbers: np.ndarray
    texts: Sequence[str] | None = None
    tokens: np.ndarray | None = None


def most_wrong(task: Task, truth: Any, given: Any, rows: Rows, count: int | None = None) -> tuple[Example, ...]:
    """Wrong rows, worst first, by `Task.wrongness`: the most certain mistakes, or the largest errors."""
    size = task.wrongness(truth, given)
    if size is None:
        return ()
    wrong = size >= 0
    count = count if count is not None else SHOWN if task.classes else LARGEST
    order = np.argsort(-np.where(wrong, size, -np.inf), kind="stable")[: min(count, int(wrong.sum()))]
    return tuple(_example(task, at, truth, given, rows) for at in order.tolist())


def slowest(task: Task, truth: Any, given: Any, rows: Rows, count: int = 10) -> tuple[Example, ...]:
    """The rows with the most tokens, which take longest to predict; none where the tokens aren't known, or where no
    row is right or wrong by itself.

    Rows are predicted in batches of similar length, so that single ones have no time of their own to measure.
    """
    if rows.tokens is None or task.wrongness(truth, given) is None:
        return ()
    order = np.argsort(-np.asarray(rows.tokens[rows.scored], dtype=np.float64), kind="stable")[:count]
    return tuple(_example(task, at, truth, given, rows) for at in order.tolist())


def _example(task: Task, at: int, truth: Any, given: Any, rows: Rows) -> Example:
    row, place = given[np.array([at])], int(rows.scored[at])
    return Example(
        row=int(rows.numbers[place]),
        text=rows.texts[place] if rows.texts is not None else "",
        truth=task.format(truth[at]),
        predicted=task.format(task.predicted(row)[0]),
        probability=float(row.max()) if task.answer == "class" else None,
        tokens=None if rows.tokens is None else int(rows.tokens[place]),
    )
