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
    heads: ClassVar[tuple[str, ...]] = ("cosine",)

    calibration: PairCalibration | None = field(default=None, init=False)
    """None until `calibrated`, and where too little was held out."""

    def encode(self, column: pa.ChunkedArray, source: str, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        codes = self.labels.with_new(column).codes(column, source, rows)
        return codes, codes != MISSING

    def scored(self, kept: np.ndarray, temperature: float = 1.0) -> np.ndarray:  # noqa: ARG002
        """Embeddings of length 1 (N, E)."""
        return np.asarray(F.normalize(torch.from_numpy(kept).float(), dim=1))

    def calibrated(self, values: np.ndarray, targets: np.ndarray) -> Self:
        return with_learned(self, calibration=calibrate(targets, self.scored(values)))

    def state(self) -> dict[str, Any]:
        found = self.calibration.to_json() if self.calibration else None
        return {**super().state(), "calibration": found}

    def with_state(self, state: dict[str, Any]) -> Self:
        found = state["calibration"]
        return with_learned(super().with_state(state), calibration=PairCalibration.from_json(found) if found else None)
