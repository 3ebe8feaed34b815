"""What a task is: it sets the head's width, encodes targets, owns the loss, decodes predictions, names the metrics."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Literal, Self

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from graftwork.data.episodes import Episodes
from graftwork.data.table import Kind, Table
from graftwork.data.tensors import Tensors, one_tensor
from graftwork.data.values import Targets, Values
from graftwork.networks.heads.head import Head
from graftwork.networks.heads.registry import build_head
from graftwork.networks.network import Network
from graftwork.networks.reader import Reader
from graftwork.shown import shown_number
from graftwork.tasks.capabilities import Calibrated, facts_of
from graftwork.tasks.labels import Labels
from graftwork.tasks.metrics.registry import METRICS, Metric
from graftwork.tasks.section import Section, SeenRows

Encoders = Mapping[str, Reader]
"""By input, what reads it."""
NONE: Encoders = MappingProxyType({})

Answer = Literal["class", "classes", "number", "likeness", "own"]
"""What is predicted of a row: one of the classes, any number of them, a number, or how like rows are to each other;
"own" is something else, of which the task's metrics and sections tell."""


@dataclass(frozen=True, kw_only=True)
class Task(ABC):
    """Settings of a task and what it has learned of the target column (its classes, its scale).

    Targets are encoded once, as a numpy array of N rows; a missing target is masked out by the second array that
    `encode_rows` returns. What a task can do beyond predicting are methods of its own (`tasks/capabilities.py`), from
    which facts are derived.
    """

    name: ClassVar[str]
    target_kinds: ClassVar[tuple[Kind, ...]]
    metric_names: ClassVar[tuple[str, ...]]
    """Names of its `metrics`; the first one chooses the best model unless `--metric` says so."""
    own_facts: ClassVar[frozenset[str]] = frozenset()
    """What techniques may need of the task besides what it can do: `hard_labels`, `classes`, `real_targets`;
    `structured_targets` says that targets are tied to places in the inputs (boxes, masks, labels of tokens)."""
    drops: ClassVar[frozenset[str]] = frozenset()
    """Facts of the inputs that do not hold for techniques, since the task changes what stands there."""
    answer: ClassVar[Answer] = "own"
    """What is predicted of a row."""
    single_label: ClassVar[bool] = False
    """Whether the target holds one class a row, be it to predict or to tell apart."""
    holds_out: ClassVar[Literal["rows", "classes"]] = "rows"
    """What is held out for validation. Where it is whole classes, rows are compared by their embeddings, also those of
    classes that training never had, and metrics read embeddings (what the last layer of the head reads) in place of
    predictions."""
    unit: ClassVar[tuple[str, str]] = ("identity", "identities")
    """What an open set calls its classes: one, and several of them."""
    target: ClassVar[Literal["column", "inputs"]] = "column"
    """Whether a column of the table holds the target, or the inputs themselves say it, and `learn_rows` and
    `encode_rows` read those."""
    called: ClassVar[str] = "match"
    """What stands for the name of a target that no column holds."""
    couples_rows: ClassVar[bool] = False
    """True where loss and metrics compare rows with each other, so that both depend on which rows are seen together."""
    usual_head: ClassVar[str] = "linear"
    """The head that is taken where the recipe names none; each head says what it needs of a task (`fits`)."""

    @property
    def facts(self) -> frozenset[str]:
        """All that techniques may need of it (`graftwork.core.contract.facts.FACTS`)."""
        return self.own_facts | facts_of(self)

    @abstractmethod
    def learn_rows(self, table: Table, name: str) -> Self:
        """This task with what it must know of the training table, whose target is called `name`.

        Raises DataError if it can't be learned.
        """

    @property
    @abstractmethod
    def outputs(self) -> int:
        """Width of the head: predictions are (B, outputs)."""

    def make_head(self, network: Network, spec: str) -> Head:
        """A new head of this network for the target, of the kind that `spec` names."""
        return build_head(network, self.outputs, spec)

    @property
    def bends_outputs(self) -> bool:
        """Whether `in_units` does more to a number than a factor and a shift: it takes a logarithm back."""
        return False

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
    def encode_rows(self, table: Table, name: str, encoders: Encoders = NONE) -> Targets | None:
        """Targets of a table's N rows and the mask (N,) of those present; None where the table does not have it.

        encoders: for targets that are tied to places in an input (`Encoder.places`); others do without.
        Raises DataError for values training never had.
        """

    def collate(self, values: Values, rows: np.ndarray) -> Tensors:
        """The encoded targets of the rows of a batch (B,), as `loss` reads them."""
        return torch.from_numpy(np.asarray(values[rows]))

    @abstractmethod
    def loss(self, predictions: Any, target: Any) -> Tensor:
        """Loss of each row (B,), summed over its units. `target` is what `collate` gives, or `soften` made of it."""

    def units(self, target: Any) -> Tensor:
        """What each row counts in the mean of the loss (B,): 1, or as many as its loss is a sum of."""
        first = target if isinstance(target, Tensor) else next(iter(target.values()))
        return torch.ones(len(first), device=first.device)

    def keep(self, predictions: Any) -> np.ndarray | Sequence[np.ndarray]:
        """What is kept of a batch's predictions, one a row, and small: an array (B, ...), or an array for each row.

        It is what `in_units` and `scored` begin with; all rows that are predicted together are held in memory.
        """
        kept: np.ndarray = one_tensor(predictions).float().cpu().numpy()
        return kept

    def in_units(self, kept: Any, temperature: float = 1.0) -> Any:
        """What was kept of N rows as people read it, and `decode` does: calibrated probabilities (N, outputs) where the
        task has any; numbers in the units of the column."""
        if not isinstance(self, Calibrated):
            return kept
        with torch.inference_mode():
            found: np.ndarray = self.probabilities(torch.from_numpy(kept), temperature).numpy()
        return found

    def scored(self, kept: Any, temperature: float = 1.0) -> Any:
        """What metrics and sections read: as `in_units` gives it; embeddings where whole classes are held out."""
        return self.in_units(kept, temperature)

    def calibrated(self, values: Any, targets: Any) -> Self:
        """This task with what validation teaches it, the temperature apart.

        values: predictions, or embeddings of an open set, of the labelled validation rows; targets: theirs, encoded.
        """
        return self

    def truth(self, targets: Any) -> Any:
        """Encoded targets as metrics compare them with the choices: in the units of the column."""
        return targets

    def metrics(self) -> Mapping[str, Metric]:
        """Its metrics by name, bound to its settings; the first one chooses the best model."""
        named = {name: METRICS[name] for name in self.metric_names}
        return named | self.suited_metrics()

    def suited_metrics(self) -> dict[str, Metric]:
        """Those that it has without naming them."""
        return {name: metric for name, metric in METRICS.here.items() if self.suits(metric)}

    def suits(self, metric: Metric) -> bool:
        """Whether it has a metric without naming it: by its facts, and by what is compared."""
        return metric.suited_to(self.facts) and (metric.reads == "embeddings") == (self.holds_out == "classes")

    def metric_inputs(self, targets: Any, kept: Any) -> tuple[Any, Any]:
        """What metrics read of labelled rows: the truth, and what is compared with it, both one a row.

        kept: as `scored` gives it.
        """
        return self.truth(targets), kept

    def predicted(self, kept: Any) -> Any:
        """What is predicted, in the form of `truth`: class indices (N,), chosen classes (N, C), or numbers (N,)."""
        return kept

    def sections(self, truth: Any, kept: Any, rows: SeenRows) -> tuple[Section, ...]:
        """Its own parts of the report on rows that were scored; truth, kept: as `metric_inputs` gives them."""
        return ()

    def with_classes(self, labels: Labels) -> Task | None:
        """The task of telling other classes apart on the same features; None where there is not one class a row."""
        return None

    def means_the_same(self, other: Task) -> bool:
        """Whether predictions of both say the same, so that models of them can be one."""
        return type(self) is type(other) and self.state() == other.state()

    def joined(self, others: Sequence[Task]) -> Self:
        """One task for models whose tasks mean the same as this one."""
        return self

    def in_units_of(self, other: Task) -> tuple[float, float]:
        """Factor and shift that turn what its head gives into what the other one's does, where both mean the same."""
        return 1.0, 0.0

    def wrongness(self, truth: np.ndarray, kept: np.ndarray) -> np.ndarray | None:
        """How wrong each row is (N,), below 0 where it is right: the report shows the worst. None where nothing is to
        be shown of rows. truth, kept: as `metric_inputs` gives them."""
        return None

    def constant(self, train: np.ndarray, metric: Metric, kept: np.ndarray) -> tuple[str, np.ndarray] | None:
        """The best answer that needs no model: what it is called, and what a model that gives it to N rows would have
        in place of `kept`, as metrics read it. None where there is no such answer.

        train: encoded targets of the training rows, which is all that it may know.
        """
        return None

    def chance(self, metric: Metric, targets: np.ndarray) -> float | None:
        """What knowing nothing scores on rows with these encoded targets, where a `constant` can't tell; else None."""
        return None

    def format(self, value: np.ndarray) -> str:
        """A truth or a prediction of one row (in the form of `predicted`) for people."""
        return shown_number(float(value))

    def located(self, kept: Any, table: Table, encoders: Encoders) -> Any:
        """What was kept of a table's rows, with what only they can say: where tokens stand in a text. As it is where
        `decode` needs nothing of that."""
        return kept

    @abstractmethod
    def decode(self, kept: Any) -> list[Any]:
        """One predicted value per row, as it stands in the target column; kept: as `in_units` gives it.

        Where `columns` names several, a value is a tuple of as many.
        """

    def columns(self, name: str) -> tuple[str, ...]:
        """Names of the columns that a prediction of the target `name` fills."""
        return (name,)

    @property
    def value_type(self) -> pa.DataType:
        """The type of a predicted value in a column of its own."""
        kind: pa.DataType = pa.array(self.decode(np.ones((1, self.outputs), np.float32))).type
        return kind

    def numbers(self, name: str) -> tuple[str, ...]:
        """What the numbers of a row are that `in_units` gives (N, C), in order: the probability of each class, or what
        stands in each column. Empty where it gives something else."""
        return self.classes or self.columns(name)

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

    def encode_rows(self, table: Table, name: str, encoders: Encoders = NONE) -> Targets | None:
        """`encode` of the column `name` of a table; None where the table does not have it."""
        if name not in table.data.column_names:
            return None
        return Targets(*self.encode(table.column(name), table.source, table.rows))
