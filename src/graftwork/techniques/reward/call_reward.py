"""A function of the user's as a reward."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from graftwork.core.technique import Aim
from graftwork.data.table import Table
from graftwork.discovery.code import from_code
from graftwork.errors import RefusedError, UsageError
from graftwork.shown import shortened_text
from graftwork.tasks.capabilities import Sampled
from graftwork.tasks.task import Task
from graftwork.techniques.reward.rewards import Asked

Function = Callable[[list[Any], list[dict[str, Any]]], Any]
"""(predictions, rows) -> a number each, more is better: answers as they stand in the target column, and the rows of the
training table that they are of, by column."""


@dataclass(frozen=True)
class CallReward:
    """What a function of the user's says of answers. called: its name, for messages."""

    function: Function
    called: str
    task: Task
    answering: Sampled
    table: Table
    needs_truth: bool = False
    scale: float = 1.0

    @property
    def aim(self) -> Aim:
        return Aim(self.called, judge=self.judged)

    def judged(self, predictions: Sequence[Any], table: Table) -> np.ndarray:
        """What answers to all rows of a table are rewarded with (N,)."""
        return self._rewards(list(predictions), table, np.arange(len(table)))

    def __call__(self, asked: Asked) -> Tensor:
        flat = asked.answers.reshape(-1, *asked.answers.shape[2:])
        found = self._rewards(self.task.decode(self.answering.as_kept(flat)), self.table, asked.rows)
        return torch.from_numpy(found.reshape(len(asked.answers), -1)).float().to(asked.answers.device)

    def _rewards(self, predictions: list[Any], table: Table, at: np.ndarray) -> np.ndarray:
        """Of answers to these rows of a table, again and again as long as there are answers."""
        rows = table.data.take(at).to_pylist() * (len(predictions) // max(1, len(at)))
        try:
            given = self.function(predictions, rows)
            found = np.asarray(given, np.float64)
        except Exception as error:  # whatever a user's function raises
            raise UsageError(
                f"reward: {self.called} failed on {len(rows):,} predictions: {type(error).__name__}: "
                f"{shortened_text(str(error), 200)}. It is called with a list of predictions and a list of their rows, "
                "each a dict by column, and gives a number each."
            ) from error
        if found.shape != (len(rows),):
            shape = "x".join(map(str, found.shape)) or "a single number"
            raise UsageError(
                f"reward: {self.called} gave {shape} for {len(rows):,} predictions. Expected a list of as many "
                "numbers, one for each, in their order."
            )
        if not np.isfinite(found).all():
            first = int(np.flatnonzero(~np.isfinite(found))[0])
            place = table.place(int(table.rows[at[first % len(at)]]))
            raise UsageError(
                f"reward: {self.called} gave {found[first]} for the prediction "
                f"{shortened_text(repr(predictions[first]))} of {table.source}, {place}. Expected a finite number; "
                "give a low one where an answer is no good."
            )
        return found


def call_reward(name: str, task: Task, answering: Sampled, table: Table | None) -> CallReward:
    """name: module:function, which is imported. Raises UsageError where there is no such function, RefusedError where
    answers are no values of a row."""
    if "structured_targets" in task.facts or table is None:
        raise RefusedError(
            f"reward: answers of the task {task.name} are tied to places in the inputs, so that a function can't be "
            "called with them. Use metric."
        )
    function = from_code(name, "reward, setting 'call'")
    if not callable(function):
        raise UsageError(f"reward: {name} is {shortened_text(repr(function))}. Expected a function.")
    return CallReward(function, name, task, answering, table)
