"""Regression: each row has one number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from torch import Tensor

from graftwork.networks.heads.solving.problem import NamedLoss
from graftwork.shown import shown_number
from graftwork.tasks.metrics.metric import Metric
from graftwork.tasks.numbers import NumberTask


@dataclass(frozen=True, kw_only=True)
class Regression(NumberTask):
    """A number a row; squared error on the standardised target.

    Targets are (N,), float32, less the mean of the training rows and divided by their standard deviation; 0 where
    missing. Predictions (B, 1) are given back in the units of the column.

    log: learn the logarithm of the target, so that errors count by their share: prices, durations. None does so where
    all training targets are above 0 and a few are far larger than the others. It is asinh(x / scale), a logarithm for
    what is larger than the smallest training target, and defined for 0 and below.
    """

    name: ClassVar[str] = "regression"
    metric_names: ClassVar[tuple[str, ...]] = ("mae", "rmse", "r2", "spearman")

    @property
    def bends_outputs(self) -> bool:
        return bool(self.scale)

    @property
    def outputs(self) -> int:
        return 1

    def loss(self, predictions: Tensor, target: Tensor) -> Tensor:
        """Squared error of each row (B,), in squared standard deviations of the training target."""
        return (predictions.squeeze(1) - target).square()

    @property
    def named_loss(self) -> NamedLoss | None:
        return NamedLoss("squared")

    def soften(self, target: Tensor) -> Tensor:
        return target.float()

    def divergence(self, predictions: Tensor, reference: Tensor) -> Tensor:
        """Squared difference of each row (B,)."""
        return (predictions - reference).square().squeeze(1)

    def predicted(self, probabilities: np.ndarray) -> np.ndarray:
        return probabilities.reshape(-1)

    def constant(self, train: np.ndarray, metric: Metric, kept: np.ndarray) -> tuple[str, np.ndarray] | None:
        """The median for absolute errors, of which it has the least; for the others the mean."""
        numbers = self.truth(train)
        named, value = ("median", np.median(numbers)) if metric.name == "mae" else ("mean", numbers.mean())
        return f"the {named} of the training rows, {shown_number(float(value))}", np.full((len(kept), 1), float(value))

    def decode(self, probabilities: np.ndarray) -> list[Any]:
        return [float(value) for value in self.predicted(probabilities)]
