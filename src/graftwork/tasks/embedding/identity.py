"""Identity: learned on some people (or speakers, products), used to tell others apart that training never had."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Self

import numpy as np
import pyarrow as pa
import torch
from torch.nn import functional as F

from graftwork.tasks.classification import Classification
from graftwork.tasks.labels import MISSING
from graftwork.tasks.learned import with_learned
from graftwork.tasks.metrics.metric import Metric
from graftwork.tasks.metrics.pair_calibration import PairCalibration, calibrate
from graftwork.tasks.task import Answer


@dataclass(frozen=True, kw_only=True)
class Identity(Classification):
    """Whose row it is, by comparing embeddings; trained as a classification of the training identities.

    Scores and thresholds come from identities that are held out whole, so rows may have identities that training never
    had: they get indices behind those of the training classes, in the order of each table by itself.
    """

    name: ClassVar[str] = "identity"
    metric_names: ClassVar[tuple[str, ...]] = ("eer", "tar_at_far_0.01", "tar_at_far_0.001", "rank1")
    holds_out: ClassVar[Literal["rows", "classes"]] = "classes"
    answer: ClassVar[Answer] = "likeness"
    own_facts: ClassVar[frozenset[str]] = frozenset({"hard_labels", "classes"})
    usual_head: ClassVar[str] = "cosine"

    calibration: PairCalibration | None = field(default=None, init=False)
    """None until `calibrated`, and where too little was held out."""

    @property
    def named_loss(self) -> None:
        """Rows are compared by their embeddings; a head that has none is no help."""

    def encode(self, column: pa.ChunkedArray, source: str, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        codes = self.labels.with_new(column).codes(column, source, rows)
        return codes, codes != MISSING

    def scored(self, kept: np.ndarray, temperature: float = 1.0) -> np.ndarray:
        """Embeddings of length 1 (N, E)."""
        return np.asarray(F.normalize(torch.from_numpy(kept).float(), dim=1))

    def calibrated(self, values: np.ndarray, targets: np.ndarray) -> Self:
        return with_learned(self, calibration=calibrate(targets, self.scored(values)))

    def wrongness(self, truth: np.ndarray, kept: np.ndarray) -> None:
        """Pairs are wrong, not rows."""

    def constant(self, train: np.ndarray, metric: Metric, kept: np.ndarray) -> None:
        """See `chance`."""

    def chance(self, metric: Metric, targets: np.ndarray) -> float | None:
        """Of pairs by definition, of neighbours by how many are there."""
        if metric.name.startswith("tar_at_far_"):
            return float(metric.name.removeprefix("tar_at_far_"))
        if metric.name == "eer":
            return 0.5
        _, counts = np.unique(targets, return_counts=True)
        asked = counts[counts > 1]  # a row without another one of its identity is not looked for
        if not len(asked):
            return 0.0
        return float((asked * (asked - 1)).sum() / (asked.sum() * max(1, len(targets) - 1)))

    def state(self) -> dict[str, Any]:
        found = self.calibration.to_json() if self.calibration else None
        return {**super().state(), "calibration": found}

    def with_state(self, state: dict[str, Any]) -> Self:
        found = state["calibration"]
        return with_learned(super().with_state(state), calibration=PairCalibration.from_json(found) if found else None)
