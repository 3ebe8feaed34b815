""" "None of these": rows that are too unusual for any class get a label of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from graftwork.errors import UsageError
from graftwork.tasks.task import Task

USUAL = 0.99
"""Beyond which a row is none of the classes, where no rows teach it: one of 100 ordinary rows is lost."""

LOST = 0.05
"""The share of ordinary rows that may be taken for others, where rows teach from where on they begin."""
LITTLE = 1e-9


@dataclass(frozen=True)
class Other:
    """label: what rows get whose `unusual` is more than `beyond`, from 0 to 1. None for `USUAL`, or where a reference
    is too small for that, for what is more unusual than all its ordinary rows."""

    label: str
    beyond: float | None = None

    def __post_init__(self) -> None:
        if not self.label.strip():
            raise UsageError("The label of rows that are none of the classes is empty. Name it, such as --other none.")
        if self.beyond is not None and not 0 < self.beyond < 1:
            raise UsageError(f"--beyond is {self.beyond:g}. Expected a number above 0 and below 1, such as 0.99.")

    def target_among(self, tasks: Mapping[str, Task]) -> str:
        """The target that it is for. Raises UsageError where there is not one with classes, or where the label is none
        of its type, or one of its classes."""
        chosen = [name for name, task in tasks.items() if task.answer == "class" and task.outputs > 1]
        if len(chosen) != 1 or len(tasks) > 1:
            told = ", ".join(f"{name} ({task.name})" for name, task in tasks.items())
            raise UsageError(f"--other is for a model with one target that holds one class a row; this one has {told}.")
        task = tasks[chosen[0]]
        self.value(task)
        if self.label in task.classes:
            raise UsageError(
                f"'{self.label}' is a class of the model, so that it can't say that a row is none of them. "
                "Name another label."
            )
        return chosen[0]

    def value(self, task: Task) -> Any:
        """The label as a value of the target's column. Raises UsageError where it can't be one."""
        try:
            return pa.array([self.label], pa.string()).cast(task.value_type)[0].as_py()
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            raise UsageError(
                f"The classes are of the type {task.value_type}, and '{self.label}' is not. Name a label of that type, "
                "such as -1."
            ) from None

    def check(self, most: float) -> None:
        """Raise UsageError where no row could be so unusual as is asked. most: how unusual a row can be."""
        if self.beyond is not None and self.beyond >= most:
            raise UsageError(
                f"--beyond is {self.beyond:g}, and with {round(1 / (1 - most)) - 1:,} ordinary rows to compare with no "
                f"row is more unusual than {most:.4f}. Give a smaller number, or leave it out."
            )

    def chosen(self, unusual: np.ndarray, most: float) -> np.ndarray:
        """Which rows are none of the classes (N,), bool; those that could not be read are not."""
        least = min(USUAL, most - LITTLE) if self.beyond is None else self.beyond
        found: np.ndarray = np.nan_to_num(unusual, nan=0.0) > least
        return found


def taught(label: str, rows: np.ndarray, most: float) -> Other:
    """From where on a row is none of the classes, by how unusual such rows are (N,), at least one.

    The threshold where the shares of these rows that are found and of ordinary ones that are not taken for them are
    highest together. At most `LOST` of the ordinary rows are lost, however many that leaves unfound; of few ordinary
    rows, only what is more unusual than all of them is none.
    """
    steps = round(1 / (1 - most))  # `unusual` is 0, 1 / steps, 2 / steps, ... `most`
    beyond = np.arange(1, steps) / steps  # of ordinary rows a share of 1 - beyond has so much, or more
    beyond = beyond[1 - beyond <= LOST + LITTLE] if 1 - most <= LOST else beyond[-1:]
    found = (np.nan_to_num(rows, nan=0.0)[:, None] >= beyond - LITTLE).mean(axis=0)
    return Other(label, float(beyond[int((found + beyond).argmax())] - LITTLE))
