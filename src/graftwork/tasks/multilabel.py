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

from graftwork.data.columns.label_form import LabelForm
from graftwork.data.columns.labels import AUTO, WORDS, find_form
from graftwork.data.table import Kind
from graftwork.errors import DataError, UsageError
from graftwork.networks.heads.solving.problem import NamedLoss
from graftwork.shown import counted, shortened_text
from graftwork.tasks.label_lists import as_lists, check_marks, distinct_texts, form_of, how_read, is_list
from graftwork.tasks.labels import Labels
from graftwork.tasks.learned import with_learned
from graftwork.tasks.metrics.metric import Metric
from graftwork.tasks.sampling import DrawsSets
from graftwork.tasks.task import Answer, ColumnTask, Task


@dataclass(frozen=True, kw_only=True)
class Multilabel(DrawsSets, ColumnTask):
    """Any of C classes a row; one sigmoid a class and binary cross-entropy, averaged over the classes.

    The target column holds lists of labels, or texts that write them: with a separator between them, or as json,
    Python, numpy or a database writes a list. A null (or, as text, an empty cell) is a missing target; an empty list
    is a row that has none of the classes. Targets are (N, C), uint8: 1 where the row has the class.

    separator: what stands between the labels of a text column, or its name: comma, space, tab, newline; auto finds it.
    threshold: a class is predicted from this probability on, between 0 and 1.
    """

    name: ClassVar[str] = "multilabel"
    target_kinds: ClassVar[tuple[Kind, ...]] = ("category", "text")
    metric_names: ClassVar[tuple[str, ...]] = (
        "micro_f1",
        "macro_f1",
        "subset_accuracy",
        "log_loss",
        "average_precision",
    )
    own_facts: ClassVar[frozenset[str]] = frozenset({"classes", "row_outputs"})
    answer: ClassVar[Answer] = "classes"

    separator: str = AUTO
    threshold: float = 0.5
    labels: Labels = field(default=Labels(()), init=False)
    lists: bool = field(default=False, init=False)
    form: LabelForm | None = field(default=None, init=False)
    """How the training column writes lists as texts."""
    said: tuple[str, ...] = field(default=(), init=False, compare=False)

    def __post_init__(self) -> None:
        if not 0.0 < self.threshold < 1.0:
            raise UsageError(f"multilabel: threshold is {self.threshold}. Expected a number between 0 and 1.")
        if not self.separator:
            raise UsageError(
                "multilabel: separator is empty. Expected the text between two labels, such as ';', or one of the "
                "words comma, space, tab, newline: --task multilabel:separator=comma"
            )
        words = {sign: word for word, sign in WORDS.items() if sign in ", \t\n"}
        object.__setattr__(self, "separator", words.get(self.separator, self.separator.strip() or self.separator))

    def learn(self, column: pa.ChunkedArray, source: str, rows: np.ndarray | None = None) -> Self:
        rows = np.arange(1, len(column) + 1) if rows is None else rows
        form = None if is_list(column) else form_of(column, source, self.separator)
        lists = as_lists(column, form, source, rows)
        flat = pc.list_flatten(lists)
        check_marks(flat, lists, source)
        labels = Labels.learn(flat)
        if len(labels.texts) < 2:
            found = f"only the label '{labels.texts[0]}'" if labels.texts else "no label"
            hint = "" if form is None else f" Labels are read as {form.words}: set separator if they aren't."
            raise DataError(f"{source}: the target has {found} in {counted(len(column), 'row')}. Expected two.{hint}")
        said = how_read(lists, form, labels, "as named" if self.separator != AUTO else "")
        return with_learned(self, labels=labels, lists=is_list(column), form=form, said=said)

    @property
    def reading(self) -> tuple[str, ...]:
        return self.said

    @property
    def outputs(self) -> int:
        return len(self.labels.texts)

    @property
    def classes(self) -> tuple[str, ...]:
        return self.labels.texts

    def encode(self, column: pa.ChunkedArray, source: str, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        lists = self._lists(column, source, rows)
        flat, parents = pc.list_flatten(lists), np.asarray(pc.list_parent_indices(lists)).astype(np.int64)
        codes = self.labels.codes(flat, source, rows[parents])
        present = codes >= 0
        targets = np.zeros((len(column), self.outputs), dtype=np.uint8)
        targets[parents[present], codes[present]] = 1
        labelled: np.ndarray = np.asarray(lists.is_valid())
        return targets, labelled

    def loss(self, predictions: Tensor, target: Tensor) -> Tensor:
        """Binary cross-entropy of each row, mean over the classes (B,); target (B, C): 0/1 or probabilities."""
        target = target.to(predictions.dtype)
        return F.binary_cross_entropy_with_logits(predictions, target, reduction="none").mean(dim=1)

    @property
    def named_loss(self) -> NamedLoss | None:
        return NamedLoss("logistic")

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

    def predicted(self, probabilities: np.ndarray) -> np.ndarray:
        return (probabilities >= self.threshold).astype(np.uint8)

    def deciding_from(self, threshold: float) -> Self:
        """Each class is predicted from this probability on."""
        return with_learned(self, threshold=threshold)

    def means_the_same(self, other: Task) -> bool:
        return type(self) is type(other) and self.classes == other.classes

    def wrongness(self, truth: np.ndarray, kept: np.ndarray) -> np.ndarray | None:
        """How far off the most wrong of a row's labels is."""
        off = np.abs(truth - kept).max(axis=1)
        return np.where((self.predicted(kept) != truth).any(axis=1), off, -1.0)

    def constant(self, train: np.ndarray, metric: Metric, kept: np.ndarray) -> tuple[str, np.ndarray] | None:
        """Shares for metrics of probabilities, else the labels of the commonest row that has any."""
        rows = len(kept)
        if metric.reads == "probabilities":
            return "the labels' shares in the training rows", np.tile(train.mean(axis=0).astype(np.float32), (rows, 1))
        some = train[train.any(axis=1)] if train.any() else train
        found, counts = np.unique(some, axis=0, return_counts=True)
        commonest = found[int(counts.argmax())]
        names = ", ".join(f"'{shortened_text(self.classes[at])}'" for at in np.flatnonzero(commonest)[:3])
        return f"the commonest labels, {names or 'none'}", np.tile(commonest.astype(np.float32), (rows, 1))

    def format(self, value: np.ndarray) -> str:
        return ", ".join(self.classes[at] for at in np.flatnonzero(value)) or "(none)"

    def decode(self, probabilities: np.ndarray) -> list[Any]:
        """Lists of labels, or texts that write them: the form of the training column."""
        chosen = self.predicted(probabilities)
        found = [self.labels.values(np.flatnonzero(row)) for row in chosen]
        return found if self.form is None else [self.form.write(labels) for labels in found]

    def state(self) -> dict[str, Any]:
        return {
            "classes": list(self.labels.texts),
            "type": self.labels.type,
            "lists": self.lists,
            "separator": self.separator,
            "form": None if self.form is None else self.form.state(),
            "threshold": self.threshold,
        }

    def with_state(self, state: dict[str, Any]) -> Self:
        labels = Labels(tuple(state["classes"]), str(state["type"]))
        settings = {name: state.get(name, getattr(self, name)) for name in ("separator", "threshold")}
        lists, given = bool(state["lists"]), state.get("form")
        form = LabelForm(**given) if given else None
        if form is None and not lists:  # a model of the time when there was one form
            form = LabelForm(str(settings["separator"]))
        return with_learned(self, labels=labels, lists=lists, form=form, **settings)

    def _lists(self, column: pa.ChunkedArray, source: str, rows: np.ndarray) -> pa.ListArray:
        form = self.form
        if form is None and not is_list(column):  # predictions of lists stand in a csv as json
            form = find_form(distinct_texts(column)) or LabelForm(";")
        return as_lists(column, form, source, rows)
