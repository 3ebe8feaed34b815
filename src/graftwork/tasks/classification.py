"""Single-label classification: each row has exactly one of the classes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor
from torch.nn import functional as F

from graftwork.data.table import Kind
from graftwork.errors import DataError
from graftwork.networks.heads.solving.problem import NamedLoss
from graftwork.shown import counted, shortened_text
from graftwork.tasks.labels import MISSING, Labels, normal
from graftwork.tasks.learned import with_learned
from graftwork.tasks.metrics.metric import Metric
from graftwork.tasks.sampling import DrawsClasses
from graftwork.tasks.task import Answer, ColumnTask, Task

_LOOKS_LIKE_AN_ID = 20


@dataclass(frozen=True, kw_only=True)
class Classification(DrawsClasses, ColumnTask):
    """One of C classes a row; softmax and cross-entropy.

    Targets are class indices (N,), int64, -1 where missing. Classes stand in sorted order. Values are compared with
    what the training column holds, and predictions are given in its type. The most probable class is predicted; where
    that was chosen (`Model.calibrated_on`), of two the second one from a threshold on, of more the one whose
    probability times its weight is highest.
    """

    name: ClassVar[str] = "classification"
    target_kinds: ClassVar[tuple[Kind, ...]] = ("category", "text", "number")
    metric_names: ClassVar[tuple[str, ...]] = (
        "accuracy",
        "macro_f1",
        "log_loss",
        "calibration_error",
        "balanced_accuracy",
        "mcc",
        "top5_accuracy",
    )
    own_facts: ClassVar[frozenset[str]] = frozenset({"hard_labels", "classes", "row_outputs"})
    answer: ClassVar[Answer] = "class"
    single_label: ClassVar[bool] = True

    labels: Labels = field(default=Labels(()), init=False)
    threshold: float = field(default=0.5, init=False)
    weights: tuple[float, ...] = field(default=(), init=False)

    def learn(self, column: pa.ChunkedArray, source: str, rows: np.ndarray | None = None) -> Self:
        if pa.types.is_nested(column.type):
            raise DataError(f"{source}: the target holds lists, not one label a row. Use --task multilabel.")
        labels = Labels.learn(column)
        labelled = len(column) - normal(column).null_count
        if not labels.texts:
            raise DataError(f"{source}: the target has no label in {counted(len(column), 'row')}. Expected labels.")
        if len(labels.texts) == 1:
            raise DataError(
                f"{source}: all {counted(labelled, 'labelled row')} have the class '{labels.texts[0]}'. "
                "Expected at least two classes. Is this the right target column, and is the file complete?"
            )
        if len(labels.texts) == labelled and labelled > _LOOKS_LIKE_AN_ID:
            raise DataError(
                f"{source}: each of the {labelled:,} labelled rows has a class of its own, so nothing can be learned. "
                "Is this the right target column? Numbers to be predicted need --task regression."
            )
        return with_learned(self, labels=labels)

    @property
    def outputs(self) -> int:
        return len(self.labels.texts)

    @property
    def classes(self) -> tuple[str, ...]:
        return self.labels.texts

    def encode(self, column: pa.ChunkedArray, source: str, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if pa.types.is_nested(column.type):
            raise DataError(f"{source}: the target holds lists, not one label a row as the training rows did.")
        codes = self.labels.codes(column, source, rows)
        return codes, codes != MISSING

    def loss(self, predictions: Tensor, target: Tensor) -> Tensor:
        """Cross-entropy of each row (B,); target: class indices (B,), or probabilities (B, C). Missing rows give 0."""
        if target.is_floating_point():
            return F.cross_entropy(predictions, target, reduction="none")
        return F.cross_entropy(predictions, target, reduction="none", ignore_index=MISSING)

    @property
    def named_loss(self) -> NamedLoss | None:
        return NamedLoss("softmax")

    def soften(self, target: Tensor) -> Tensor:
        """Class indices as rows of probabilities (B, C); the row of a missing label is all zero, so its loss is 0."""
        if target.is_floating_point():
            return target
        known = target != MISSING
        return F.one_hot(target.clamp(min=0), self.outputs).float() * known.unsqueeze(1)

    def divergence(self, predictions: Tensor, reference: Tensor) -> Tensor:
        """KL(reference || predictions) of the softmaxes (B,)."""
        log_p, log_q = F.log_softmax(predictions, dim=1), F.log_softmax(reference, dim=1)
        return F.kl_div(log_p, log_q, reduction="none", log_target=True).sum(dim=1)

    def probabilities(self, predictions: Tensor, temperature: float = 1.0) -> Tensor:
        return torch.softmax(predictions.float() / temperature, dim=1)

    def predicted(self, probabilities: np.ndarray) -> np.ndarray:
        if self.threshold != 0.5 and self.outputs == 2:
            return np.asarray(probabilities[:, 1] >= self.threshold).astype(np.int64)
        if self.weights:
            return np.asarray((probabilities * np.array(self.weights)).argmax(axis=1))
        return np.asarray(probabilities.argmax(axis=1))

    def deciding_from(self, threshold: float) -> Self:
        """Of two classes, the second one is predicted from this probability on."""
        return with_learned(self, threshold=threshold)

    def weighing(self, weights: tuple[float, ...]) -> Self:
        """The class is predicted whose probability times its weight is highest."""
        return with_learned(self, weights=weights)

    def with_classes(self, labels: Labels) -> Classification:
        """The plain classification of these classes, whatever the task was that the features were learned with."""
        return with_learned(Classification(), labels=labels)

    def means_the_same(self, other: Task) -> bool:
        return type(self) is type(other) and self.classes == other.classes

    def wrongness(self, truth: np.ndarray, kept: np.ndarray) -> np.ndarray | None:
        """By how much the wrong answer led."""
        lead = kept.max(axis=1) - kept[np.arange(len(truth)), truth]
        return np.where(self.predicted(kept) != truth, lead, -1.0)

    def constant(self, train: np.ndarray, metric: Metric, kept: np.ndarray) -> tuple[str, np.ndarray] | None:
        """The classes' shares in the training rows, of which the largest is the answer."""
        counts = np.bincount(train, minlength=self.outputs)
        shares = (counts / counts.sum()).astype(np.float32)
        name = f"the commonest class, '{shortened_text(self.classes[int(shares.argmax())])}'"
        return name, np.tile(shares, (len(kept), 1))

    def format(self, value: np.ndarray) -> str:
        return self.classes[int(value)]

    def decode(self, probabilities: np.ndarray) -> list[Any]:
        return self.labels.values(self.predicted(probabilities))

    def state(self) -> dict[str, Any]:
        moved: dict[str, Any] = {} if self.threshold == 0.5 else {"threshold": self.threshold}
        moved |= {"weights": list(self.weights)} if self.weights else {}
        return {"classes": list(self.labels.texts), "type": self.labels.type, **moved}

    def with_state(self, state: dict[str, Any]) -> Self:
        threshold = float(state.get("threshold", 0.5))
        if not 0.0 < threshold < 1.0:
            raise ValueError(f"a threshold is {threshold}")
        weights = tuple(float(weight) for weight in state.get("weights", ()))
        if weights and not (len(weights) == len(state["classes"]) and all(0.0 < weight <= 1.0 for weight in weights)):
            raise ValueError(f"weights of classes are {weights}")
        labels = Labels(tuple(state["classes"]), str(state["type"]))
        return with_learned(self, labels=labels, threshold=threshold, weights=weights)
