"""SimCLR: two views of a picture are to be alike, and unlike all other pictures of the batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from graftwork.data.batch import Batch
from graftwork.data.columns.contents import NOTHING, content_ids
from graftwork.data.table import Modality, Table
from graftwork.data.values import Targets
from graftwork.errors import UsageError
from graftwork.networks.network import Network
from graftwork.tasks.metrics.metric import Metric
from graftwork.tasks.pretext.pretext import Pretext, loss_metric, right_metric
from graftwork.tasks.task import NONE, Encoders

COMPARED = 128
"""Held-out rows that are compared with each other, as a batch is in training."""


@dataclass(frozen=True, kw_only=True)
class SimCLR(Pretext):
    """Two views of a picture are to be alike; learned from pictures without a target column.

    Chen et al. 2020 (NT-Xent). Each row comes twice in a batch, one right behind the other, and the augmentations of
    the recipe make two views of it: crop and colour matter most. Large batches help. Targets are a number for the
    content (B,), so that the same picture in two rows counts as one; predictions are vectors (B, width).

    width: of the vectors that are compared. temperature: what their cosines are divided by, above 0.
    """

    name: ClassVar[str] = "simclr"
    metric_names: ClassVar[tuple[str, ...]] = ("nt_xent", "view_accuracy")
    own_facts: ClassVar[frozenset[str]] = frozenset({"two_views"})
    usual_head: ClassVar[str] = "projection"
    reads: ClassVar[Modality] = "image"
    couples_rows: ClassVar[bool] = True
    shows_twice: ClassVar[bool] = True

    width: int = 128
    temperature: float = 0.5

    def __post_init__(self) -> None:
        if self.width < 1:
            raise UsageError(f"simclr: width is {self.width}. Expected 1 or more.")
        if not self.temperature > 0:
            raise UsageError(f"simclr: temperature is {self.temperature}. Expected a number above 0.")

    @property
    def outputs(self) -> int:
        return self.width

    def encode_rows(self, table: Table, name: str, encoders: Encoders = NONE) -> Targets | None:
        ids = content_ids(table, (self.column,))
        return Targets(ids, ids != NOTHING)

    def corrupt(self, batch: Batch, name: str, network: Network, generator: torch.Generator) -> Batch:
        """Nothing more: rows are shown twice."""
        del name, network, generator
        return batch

    def loss(self, predictions: Tensor, target: Tensor) -> Tensor:
        """NT-Xent of each row (B,); 0 for one whose other view is not there."""
        return nt_xent(predictions, target, self.temperature)[0]

    def keep(self, predictions: Tensor) -> np.ndarray:
        """Both views of each row side by side, of length 1 (B / 2, 2 * width)."""
        both = F.normalize(predictions.float(), dim=1)
        kept: np.ndarray = both.reshape(len(both) // 2, -1).cpu().numpy()
        return kept

    def metric_inputs(self, targets: Any, kept: Any) -> tuple[Any, Any]:
        """Of each row the loss of both views, how many find the other one first, and 2 (N, 3), among `COMPARED`
        neighbouring rows."""
        parts, width = [np.zeros((0, 3))], self.width
        for start in range(0, len(kept), COMPARED):
            views = torch.from_numpy(np.asarray(kept[start : start + COMPARED])).reshape(-1, width)
            rows = torch.from_numpy(np.asarray(targets[start : start + COMPARED])).repeat_interleave(2)
            loss, right = nt_xent(views, rows, self.temperature)
            each = torch.stack([loss, right.float(), torch.ones(len(loss))], dim=1)
            parts.append(each.reshape(-1, 2, 3).sum(1).double().numpy())
        found = np.concatenate(parts)
        return found, found

    def decode(self, kept: Any) -> list[Any]:
        """How much alike the two views of each row are: their cosine, from -1 to 1."""
        kept = np.asarray(kept)
        first, second = kept[:, : self.width], kept[:, self.width :]
        return [float(value) for value in (first * second).sum(axis=1)]

    def metrics(self) -> Mapping[str, Metric]:
        each = (
            loss_metric(
                "nt_xent", "NT-Xent of two views", "cross-entropy of finding a picture's other view in a batch"
            ),
            right_metric("view_accuracy", "Other views found", "share of views that are most like the same picture's"),
        )
        return {metric.name: metric for metric in each}

    def format(self, value: Any) -> str:
        return f"a loss of {float(np.asarray(value).reshape(-1)[0]):.2f}"

    def settings(self) -> Mapping[str, Any]:
        return {"width": self.width, "temperature": self.temperature}


def nt_xent(vectors: Tensor, ids: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """The loss of each view (B,), and whether another view of the same picture is most like it (B,).

    Normalised temperature-scaled cross-entropy (Chen et al. 2020) of finding it among all other views of the batch; of
    several, the mean of their log-probabilities. 0 and False where there is none.
    """
    unit = F.normalize(vectors.float(), dim=1)
    oneself = torch.eye(len(unit), dtype=torch.bool, device=unit.device)
    logits = (unit @ unit.T / temperature).masked_fill(oneself, -1e9)
    same = (ids.unsqueeze(1) == ids.unsqueeze(0)) & ~oneself
    partners = same.float()
    summed = (F.log_softmax(logits, dim=1) * partners).sum(1)
    right = same.gather(1, logits.argmax(1, keepdim=True)).squeeze(1) if len(unit) else same.any(1)
    return -summed / partners.sum(1).clamp(min=1), right
