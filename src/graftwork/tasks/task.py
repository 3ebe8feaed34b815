"""What a task is: it sets the head's width, encodes targets, owns the loss, decodes predictions, names the metrics."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
from torch import Tensor

from graftwork.data.episodes import Episodes
from graftwork.data.table import Kind, Table
from graftwork.shown import shown_number


@dataclass(frozen=True, kw_only=True)
class Task(ABC):
    """Settings of a task and what it has learned of the target column (its classes, its scale).

    Targets are encoded once, as a numpy array of N rows; a missing target is masked out by the second array that
    `encode_rows` returns. `facts` are what techniques may need of the task: `hard_labels`, `classes`, `real_targets`;
    `structured_targets` says that they are tied to places in the inputs (boxes, masks, labels of tokens).
    """

    name: ClassVar[str]
    target_kinds: ClassVar[tuple[Kind, ...]]
    metrics: ClassVar[tuple[str, ...]]
    """Names in `tasks.metrics.registry.METRICS`; the first one chooses the best model unless `--metric` says so."""
    facts: ClassVar[frozenset[str]]
    open_set: ClassVar[bool] = False
    """Rows are compared by their embeddings, also those of classes that training never had: whole classes are held out
    for validation, and metrics read embeddings (what the last layer of the head reads) in place of predictions."""
    unit: ClassVar[tuple[str, str]] = ("identity", "identities")
    """What an open set calls its classes: one, and several of them."""
    reads_target: ClassVar[bool] = True
    """Whether a column of the table holds the target; else the inputs themselves say it, and `learn_rows` and
    `encode_rows` read those."""
    couples_rows: ClassVar[bool] = False
    """True where loss and metrics compare rows with each other, so that both depend on which rows are seen together."""
    heads: ClassVar[tuple[str, ...]] = ()
    """Names of the heads that fit, of which the first is taken where the recipe names none; empty: any head."""

    @abstractmethod
    def learn_rows(self, table: Table, name: str) -> Self:
        """This task with what it must know of the training table, whose target is called `name`.

        Raises DataError if it can't be learned.
        """

    @property
    @abstractmethod
    def outputs(self) -> int:
        """Width of the head: predictions are (B, outputs)."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the outputs, in order; empty for a task without classes."""
        return ()

    @property
    def reading(self) -> tuple[str, ...]:
        """How the target was read where that is not plain, after `learn`: lines for the user."""
        return ()

    @property
    def validation_episodes(self) -> Episodes | None:
        """How episodes are drawn from the validation rows to score a run; None where rows are scored one by one."""
        return None

    @property
    def held_classes(self) -> int:
        """Classes that an open set needs for validation."""
        return 2

    @abstractmethod
    def encode_rows(self, table: Table, name: str) -> tuple[np.ndarray, np.ndarray] | None:
        """Targets of a table's N rows and the mask (N,) of those present; None where the table does not have it.

        Raises DataError for values training never had.
        """

    @abstractmethod
    def loss(self, predictions: Any, target: Any) -> Tensor:
        """Loss of each row (B,). `target` is what `encode` gives, or what `soften` made of it."""

    @abstractmethod
    def soften(self, target: Any) -> Tensor:
        """Targets as floating-point numbers that can be mixed: class indices become rows of probabilities (B, C)."""

    @abstractmethod
    def divergence(self, predictions: Any, reference: Any) -> Tensor:
        """How far each row's predictions are from the reference predictions (B,): KL of probabilities, or squares."""

    @abstractmethod
    def probabilities(self, predictions: Any, temperature: float = 1.0) -> Tensor:
        """Probabilities (B, outputs); a task without probabilities returns the predictions in the target's units."""

    def scored(self, values: Tensor, temperature: float = 1.0) -> Tensor:
        """What metrics read: probabilities, of predictions (B, outputs); an open set gives embeddings (B, E) back."""
        return self.probabilities(values, temperature)

    def calibrated(self, values: np.ndarray, targets: np.ndarray) -> Self:  # noqa: ARG002
        """This task with what validation teaches it, the temperature apart.

        values: predictions, or embeddings of an open set, of the labelled validation rows; targets: theirs, encoded.
        """
        return self

    def truth(self, targets: np.ndarray) -> np.ndarray:
        """Encoded targets as metrics compare them with the choices: in the units of the column."""
        return targets

    def judge(self, targets: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What metrics read of labelled rows: the truth, and what is compared with it, both (N, ...)."""
        return self.truth(targets), probabilities

    def choose(self, probabilities: np.ndarray) -> np.ndarray:
        """What is predicted, in the form of `truth`: class indices (N,), chosen classes (N, C), or numbers (N,)."""
        return probabilities

    def shown(self, value: np.ndarray) -> str:
        """A truth or a choice of one row for people, in a task without classes."""
        return shown_number(float(value))

    @abstractmethod
    def decode(self, probabilities: np.ndarray) -> list[Any]:
        """One predicted value per row, as it stands in the target column."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """What was learned, as plain JSON data."""

    @abstractmethod
    def with_state(self, state: dict[str, Any]) -> Self:
        """The inverse of `state`."""


@dataclass(frozen=True, kw_only=True)
class ColumnTask(Task):
    """A task whose target is a column of the table."""

    @abstractmethod
    def learn(self, column: pa.ChunkedArray, source: str, rows: np.ndarray | None = None) -> Self:
        """This task with what it must know of the training target. Raises DataError if the column can't be learned.

        rows: numbers of the rows in their source, for messages; counted from 1 where left out.
        """

    def learn_rows(self, table: Table, name: str) -> Self:
        """`learn` from a training table, whose target column is `name`."""
        return self.learn(table.column(name), table.source, table.rows)

    @abstractmethod
    def encode(self, column: pa.ChunkedArray, source: str, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Targets of N rows and the mask (N,) of those present. Raises DataError for values training never had."""

    def encode_rows(self, table: Table, name: str) -> tuple[np.ndarray, np.ndarray] | None:
        """`encode` of the column `name` of a table; None where the table does not have it."""
        if name not in table.data.column_names:
            return None
        return self.encode(table.column(name), table.source, table.rows)
