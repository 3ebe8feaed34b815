"""What all pretext tasks share: nothing is labelled; what is learned is made of the inputs of one kind.

What is kept of a row is how well its own hidden things were found: the sum of their losses, how many were right, and
how many were hidden. Scores are ratios of sums over rows, so that one with more that is hidden counts for more.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Self

import numpy as np
import pyarrow as pa

from graftwork.data.columns.convert import is_missing
from graftwork.data.store.spool import slices
from graftwork.data.table import Kind, Modality, Table
from graftwork.data.values import Targets
from graftwork.errors import DataError, UsageError
from graftwork.shown import counted
from graftwork.tasks.learned import with_learned
from graftwork.tasks.metrics.metric import Metric, Scorer, from_sums
from graftwork.tasks.task import NONE, Answer, Encoders, Task

_PLURAL = {"text": "texts", "image": "images", "audio": "sounds", "table": "numbers and categories"}


@dataclass(frozen=True, kw_only=True)
class Pretext(Task):
    """A task whose targets are made of one input, anew in each batch (`Corrupts`); no target column.

    Encoded targets are 0 for each row (N,), int64; a row that lacks the input is not labelled.
    """

    target_kinds: ClassVar[tuple[Kind, ...]] = ()
    target: ClassVar[Literal["column", "inputs"]] = "inputs"
    called: ClassVar[str] = "pretext"
    answer: ClassVar[Answer] = "own"
    reads: ClassVar[Modality]
    """The kind of input that it is for."""
    least: ClassVar[int] = 50
    """Rows without which there is nothing to learn."""

    column: str = field(default="", init=False)
    """The column of the input."""

    def learn_rows(self, table: Table, name: str) -> Self:
        """Raises UsageError unless there is one input, of the kind that it reads; DataError for too few rows."""
        found = table.schema.modalities
        if len(found) != 1 or found[0].modality != self.reads or len(found[0].columns) != 1:
            named = ", ".join(f"{one.name} ({one.modality})" for one in found) or "none"
            raise UsageError(
                f"The task {self.name} reads one column of {_PLURAL[self.reads]}, and {table.source} has {named}. Name "
                "the column (--inputs COLUMN; in Python inputs=[...]), or choose a task that reads this."
            )
        learned = with_learned(self, column=found[0].columns[0])
        there = int(learned._present(table).sum())
        if there < self.least:
            raise DataError(
                f"{table.source}: {counted(there, 'row')} hold something in '{learned.column}'. The task {self.name} "
                f"needs at least {self.least}, and pays with some thousands."
            )
        return learned

    @property
    def outputs(self) -> int:
        return 1

    def encode_rows(self, table: Table, name: str, encoders: Encoders = NONE) -> Targets | None:
        there = self._present(table)
        return Targets(np.zeros(len(there), np.int64), there)

    def _present(self, table: Table) -> np.ndarray:
        parts = [is_missing(part) for part in slices(table.column(self.column))]
        return ~np.concatenate([np.zeros(0, bool), *parts])

    @abstractmethod
    def keep(self, predictions: Any) -> np.ndarray:
        """Of each row the sum of its losses, how many were right, and how many were asked for (B, 3), float32."""

    def decode(self, kept: Any) -> list[Any]:
        """The mean loss of each row: how much it surprises. 0 where nothing was asked for."""
        return [float(value) for value in loss_of(np.asarray(kept))]

    @property
    def value_type(self) -> pa.DataType:
        return pa.float64()

    def numbers(self, name: str) -> tuple[str, ...]:
        """None: what is predicted is of use to training alone."""
        return ()

    def metric_inputs(self, targets: Any, kept: Any) -> tuple[Any, Any]:
        """What is kept says both."""
        return kept, kept

    def predicted(self, kept: Any) -> Any:
        return loss_of(np.asarray(kept))

    def wrongness(self, truth: np.ndarray, kept: np.ndarray) -> np.ndarray | None:
        """The mean loss of each row; below 0 where nothing was asked for."""
        return np.where(kept[:, 2] > 0, loss_of(kept), -1.0)

    def state(self) -> dict[str, Any]:
        return {**self.settings(), "column": self.column}

    @property
    def leads_to(self) -> tuple[str, str]:
        return "Start from it with your labelled rows.", "graft fit TABLE --base {folder}"

    def settings(self) -> Mapping[str, Any]:
        """Its settings, as plain data."""
        return {}

    def with_state(self, state: dict[str, Any]) -> Self:
        return with_learned(self, **state)


def loss_of(kept: np.ndarray) -> np.ndarray:
    """The mean loss of what is kept (..., 3) -> (...)."""
    return _ratio(kept[..., 0], kept[..., 2])


def mean_loss(_: np.ndarray, kept: np.ndarray) -> Scorer:
    """Loss of what was hidden, a mean over all of it."""
    return from_sums(kept, loss_of)


def share_right(_: np.ndarray, kept: np.ndarray) -> Scorer:
    """Share of what was hidden that is found."""
    return from_sums(kept, lambda sums: _ratio(sums[:, 1], sums[:, 2]))


def _ratio(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    found: np.ndarray = np.divide(top, bottom, out=np.zeros(top.shape, np.float64), where=bottom > 0)
    return found


def loss_metric(name: str, display: str, meaning: str) -> Metric:
    """A metric of the mean loss."""
    return Metric(name, mean_loss, "kept", False, display, "plain", meaning=meaning)


def right_metric(name: str, display: str, meaning: str) -> Metric:
    """A metric of the share that is right."""
    return Metric(name, share_right, "kept", True, display, meaning=meaning)
