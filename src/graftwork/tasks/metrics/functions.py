"""A Python function as a metric: it gets the truth and the predictions as the target column holds them.

A recipe keeps its name alone, so that recipes stay plain data; the function is known in the process that named it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from graftwork.errors import UsageError
from graftwork.shown import shortened_text
from graftwork.tasks.metrics.metric import Metric, Scorer

Function = Callable[[Any, Any], float]
"""(truth, predictions) of N rows -> a number, more is better; as scikit-learn's metrics have it."""
PYTHON = "python:"
"""Before the name of a function, where a recipe writes it."""
DRAWS = 200
"""Resamples for the interval: a function scores them one by one."""
_FUNCTIONS: dict[str, Function] = {}


class Answering(Protocol):
    """What is asked here of a task."""

    @property
    def name(self) -> str: ...

    @property
    def answer(self) -> str: ...

    @property
    def outputs(self) -> int: ...

    def decode(self, kept: Any) -> list[Any]: ...


def function_name(function: Function) -> str:
    """What a recipe calls this function, in this process from now on; another one of its name gets a number behind.

    >>> def missed_by(truth, predictions): return 0.0
    >>> function_name(missed_by)
    'python:missed_by'
    """
    plain = PYTHON + (getattr(function, "__name__", "") or type(function).__name__).strip("<>")
    name, number = plain, 1
    while _FUNCTIONS.get(name, function) is not function:
        number += 1
        name = f"{plain}-{number}"
    _FUNCTIONS[name] = function
    return name


def function_metric(name: str, task: Answering) -> Metric | None:
    """The metric of a name that `function_name` gave, for this task; None for any other name.

    Raises UsageError for a function that this process does not know, and a task whose answers are no values of a row.
    """
    if not name.startswith(PYTHON):
        return None
    function, called = _FUNCTIONS.get(name), name.removeprefix(PYTHON)
    if function is None:
        raise UsageError(
            f"The metric '{name}' is a Python function, which a recipe can't hold. Give it in Python, "
            f"gw.Recipe(metric={called}), or name another metric."
        )
    if task.answer not in ("class", "classes", "number"):
        raise UsageError(
            f"The metric '{called}' is a Python function, which compares classes, lists of labels or numbers; the task "
            f"{task.name} has none. Name one of its own metrics."
        )
    in_values = _values_of(task)

    def scorer(truth: Any, given: Any) -> Scorer:
        return _scorer(function, called, in_values(truth), in_values(given))

    said = (function.__doc__ or "").strip().splitlines()
    meaning = shortened_text(said[0].strip(), 100) if said else "a Python function; more is better"
    return Metric(name, scorer, "choices", True, called, "plain", meaning=meaning)


def known(name: str) -> bool:
    """Whether it is a function of this process."""
    return name in _FUNCTIONS


def _values_of(task: Answering) -> Callable[[Any], np.ndarray]:
    """From the form in which metrics compare (class indices, chosen classes, numbers) to values of the column."""
    if task.answer == "number":
        return np.asarray
    if task.answer == "class":
        classes = np.array(task.decode(np.eye(task.outputs, dtype=np.float32)))
        return lambda codes: classes[np.asarray(codes, np.int64)]
    names = [labels[0] for labels in task.decode(np.eye(task.outputs, dtype=np.float32))]

    def lists(chosen: Any) -> np.ndarray:
        found = np.empty(len(chosen), dtype=object)
        for row, marks in enumerate(np.asarray(chosen)):
            found[row] = [names[at] for at in np.flatnonzero(marks)]
        return found

    return lists


def _scorer(function: Function, called: str, truth: np.ndarray, given: np.ndarray) -> Scorer:
    """Scores the rows as they are, and up to DRAWS resamples of them; of further ones, and where the function fails on
    a resample (of one class only), it says nothing (NaN)."""
    drawn = 0

    def scorer(weights: np.ndarray) -> np.ndarray:
        nonlocal drawn
        found = np.full(len(weights), np.nan)
        for at, times in enumerate(weights):
            if (times == 1).all():
                found[at] = _called(function, called, truth, given)
            elif drawn < DRAWS:
                drawn += 1
                rows = np.repeat(np.arange(len(times)), times.astype(np.int64))
                found[at] = _tried(function, truth[rows], given[rows])
        return found

    return scorer


def _called(function: Function, called: str, truth: np.ndarray, given: np.ndarray) -> float:
    try:
        value = float(function(truth, given))
    except Exception as error:  # whatever a user's function raises
        raise UsageError(
            f"The metric '{called}' failed on {len(truth):,} rows: {type(error).__name__}: "
            f"{shortened_text(str(error), 200)}. It is called with the true values and the predicted ones, as arrays."
        ) from error
    if not math.isfinite(value):
        raise UsageError(f"The metric '{called}' gave {value}. Expected a finite number, more is better.")
    return value


def _tried(function: Function, truth: np.ndarray, given: np.ndarray) -> float:
    try:
        return float(function(truth, given))
    except Exception:  # a resample may lack what the function needs
        return math.nan
