"""Rows worth looking at: those the model got most wrong, and those that take longest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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


def most_wrong(
    task: Task, truth: np.ndarray, probabilities: np.ndarray, rows: Rows, count: int | None = None
) -> tuple[Example, ...]:
    """Wrong rows, worst first: the most certain mistakes, or the largest errors of a regression."""
    count = count if count is not None else SHOWN if task.classes else LARGEST
    chosen = task.predicted(probabilities)
    wrong = truth != chosen if truth.ndim == 1 else (truth != chosen).any(axis=1)
    size = np.where(wrong, _wrongness(task, truth, probabilities), -np.inf)
    order = np.argsort(-size, kind="stable")[: min(count, int(wrong.sum()))]
    return tuple(_example(task, at, truth, probabilities, rows) for at in order.tolist())


def slowest(
    task: Task, truth: np.ndarray, probabilities: np.ndarray, rows: Rows, count: int = 10
) -> tuple[Example, ...]:
    """The rows with the most tokens, which take longest to predict; none where the tokens aren't known.

    Rows are predicted in batches of similar length, so that single ones have no time of their own to measure.
    """
    if rows.tokens is None:
        return ()
    order = np.argsort(-np.asarray(rows.tokens[rows.scored], dtype=np.float64), kind="stable")[:count]
    return tuple(_example(task, at, truth, probabilities, rows) for at in order.tolist())


def _wrongness(task: Task, truth: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    if not task.classes:
        error: np.ndarray = np.abs(task.predicted(probabilities) - truth).reshape(len(truth), -1).max(axis=1)
    elif truth.ndim == 2:
        error = np.abs(truth - probabilities).max(axis=1)
    else:
        error = probabilities.max(axis=1) - probabilities[np.arange(len(truth)), truth]
    return error


def _example(task: Task, at: int, truth: np.ndarray, probabilities: np.ndarray, rows: Rows) -> Example:
    row, place = probabilities[at : at + 1], int(rows.scored[at])
    chosen = task.predicted(row)[0]
    return Example(
        row=int(rows.numbers[place]),
        text=rows.texts[place] if rows.texts is not None else "",
        truth=_text(task, truth[at]),
        predicted=_text(task, chosen),
        probability=float(row.max()) if "hard_labels" in task.facts else None,
        tokens=None if rows.tokens is None else int(rows.tokens[place]),
    )


def _text(task: Task, value: np.ndarray) -> str:
    """A truth or a choice for people."""
    if not task.classes:
        return task.format(value)
    if np.ndim(value) == 1:
        return ", ".join(task.classes[at] for at in np.flatnonzero(value)) or "(none)"
    return task.classes[int(value)]
