"""Multi-label classification: each row has any number of the classes, none included."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch import Tensor
from torch.nn import functional as F

from graftwork.data.table import Kind
from graftwork.errors import DataError, UsageError
from graftwork.tasks.labels import Labels, normal, plural
from graftwork.tasks.learned import with_learned
from graftwork.tasks.task import ColumnTask


@dataclass(frozen=True, kw_only=True)
class Multilabel(ColumnTask):
    """Any of C classes a row; one sigmoid a class and binary cross-entropy, averaged over the classes.

    The target column holds lists of labels, or text with a separator between them. A null (or, as text, an empty
    cell) is a missing target; an empty list is a row that has none of the classes.
    Targets are (N, C), uint8: 1 where the row has the class.

    separator: what stands between the labels of a text column.
    threshold: a class is predicted from this probability on, between 0 and 1.
    """

    name: ClassVar[str] = "multilabel"
    target_kinds: ClassVar[tuple[Kind, ...]] = ("category", "text")
    metrics: ClassVar[tuple[str, ...]] = ("micro_f1", "macro_f1", "subset_accuracy", "log_loss", "average_precision")
    facts: ClassVar[frozenset[str]] = frozenset({"classes"})

    separator: str = ";"
    threshold: float = 0.5
    labels: Labels = field(default=Labels(()), init=False)
    lists: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        if not 0.0 < self.threshold < 1.0:
            raise UsageError(f"multilabel: threshold is {self.threshold}. Expected a number between 0 and 1.")
        if not self.separator:
            raise UsageError("multilabel: separator is empty. Expected the text between two labels, such as ';'.")

    def learn(self, column: pa.ChunkedArray, source: str, rows: np.ndarray | None = None) -> Self:  # noqa: ARG002
        flat, _ = self._flat(column, source)
        labels = Labels.learn(flat)
        if len(labels.texts) < 2:
            found = f"only the label '{labels.texts[0]}'" if labels.texts else "no label"
            hint = (
                "" if _is_list(column) else f" Labels are parted by '{self.separator}': set separator if they aren't."
            )
            raise DataError(f"{source}: the target has {found} in {plural(len(column), 'row')}. Expected two.{hint}")
        return with_learned(self, labels=labels, lists=_is_list(column))

    @property
    def outputs(self) -> int:
        return len(self.labels.texts)

    @property
    def classes(self) -> tuple[str, ...]:
        return self.labels.texts

    def encode(self, column: pa.ChunkedArray, source: str, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        flat, parents = self._flat(column, source)
        codes = self.labels.codes(flat, source, rows[parents])
        present = codes >= 0
        targets = np.zeros((len(column), self.outputs), dtype=np.uint8)
        targets[parents[present], codes[present]] = 1
        labelled: np.ndarray = np.asarray(_lists(column, self.separator).is_valid())
        return targets, labelled

    def loss(self, predictions: Tensor, target: Tensor) -> Tensor:
        """Binary cross-entropy of each row, mean over the classes (B,); target (B, C): 0/1 or probabilities."""
        target = target.to(predictions.dtype)
        return F.binary_cross_entropy_with_logits(predictions, target, reduction="none").mean(dim=1)

    def soften(self, target: Tensor) -> Tensor:
        return target.float()

    def divergence(self, predictions: Tensor, reference: Tensor) -> Tensor:
        """KL(reference || predictions) of each class's yes-or-no, mean over the classes (B,)."""
        q = torch.sigmoid(reference)
        yes = q * (F.logsigmoid(reference) - F.logsigmoid(predictions))
        no = (1 - q) * (F.logsigmoid(-reference) - F.logsigmoid(-predictions))
        return (yes + no).mean(dim=1)

    def probabilities(self, predictions: Tensor, temperature: float = 1.0) -> Tensor:
        return torch.sigmoid(predictions.float() / temperature)

    def choose(self, probabilities: np.ndarray) -> np.ndarray:
        return (probabilities >= self.threshold).astype(np.uint8)

    def decode(self, probabilities: np.ndarray) -> list[Any]:
        """Lists of labels, or texts joined by the separator: the form of the training column."""
        chosen = self.choose(probabilities)
        found = [self.labels.values(np.flatnonzero(row)) for row in chosen]
        return found if self.lists else [self.separator.join(labels) for labels in found]

    def state(self) -> dict[str, Any]:
        return {
            "classes": list(self.labels.texts),
            "type": self.labels.type,
            "lists": self.lists,
            "separator": self.separator,
            "threshold": self.threshold,
        }

    def with_state(self, state: dict[str, Any]) -> Self:
        labels = Labels(tuple(state["classes"]), str(state["type"]))
        settings = {name: state.get(name, getattr(self, name)) for name in ("separator", "threshold")}
        return with_learned(self, labels=labels, lists=bool(state["lists"]), **settings)

    def _flat(self, column: pa.ChunkedArray, source: str) -> tuple[pa.ChunkedArray, np.ndarray]:
        """All labels one after the other, and the position of the row that each belongs to."""
        kind = column.type
        if not (_is_list(column) or pa.types.is_null(kind) or not pa.types.is_nested(kind)):
            raise DataError(f"{source}: the target holds {kind}. Expected lists of labels, or text.")
        lists = _lists(column, self.separator)
        parents: np.ndarray = np.asarray(pc.list_parent_indices(lists)).astype(np.int64)
        flat = pc.list_flatten(lists)
        return (flat if _is_list(column) else pc.utf8_trim_whitespace(flat)), parents


def _is_list(column: pa.ChunkedArray) -> bool:
    kind = column.type
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _lists(column: pa.ChunkedArray, separator: str) -> pa.Array:
    """The column as one array of lists; texts are split at the separator."""
    lists = column if _is_list(column) else pc.split_pattern(normal(column).cast(pa.string()), separator)
    return lists.combine_chunks() if isinstance(lists, pa.ChunkedArray) else lists
