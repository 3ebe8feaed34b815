"""Quantile regression: of each row several quantiles of a number, so that a prediction says how far off it may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from graftwork.errors import UsageError
from graftwork.networks.heads.solving.problem import NamedLoss
from graftwork.shown import shown_number
from graftwork.tasks.learned import with_learned
from graftwork.tasks.metrics.metric import Metric, Scorer, mean_of_rows
from graftwork.tasks.metrics.registry import METRICS
from graftwork.tasks.numbers import NumberTask
from graftwork.tasks.section import Grid, Section, SeenRows
from graftwork.tasks.task import Task


@dataclass(frozen=True, kw_only=True)
class QuantileRegression(NumberTask):
    """Quantiles of a number a row: below the quantile of level 0.9 lie nine in ten of the rows that are like it.

    Trained with the pinball loss (Koenker & Bassett 1978), mean over the levels, on the standardised target.
    Predictions (B, levels) are sorted when rows are predicted, so that quantiles do not cross. What is shown as the one
    number of a row is its median, between the levels beside it where none is 0.5.

    levels: two or more, rising, above 0 and below 1. log: as in regression; a quantile of the logarithm is the
    logarithm of the quantile.
    """

    levels: tuple[float, ...] = (0.1, 0.5, 0.9)

    name: ClassVar[str] = "quantile-regression"
    metric_names: ClassVar[tuple[str, ...]] = ("pinball_loss", "mae", "r2", "coverage", "interval_width")

    def __post_init__(self) -> None:
        rising = all(low < high for low, high in zip(self.levels, self.levels[1:], strict=False))
        if len(self.levels) < 2 or not rising or not all(0 < level < 1 for level in self.levels):
            listed = "+".join(f"{level:g}" for level in self.levels)
            raise UsageError(
                f"quantile-regression: levels is {listed or 'empty'}. Expected two numbers or more between 0 and 1, "
                "the smallest first: --task quantile-regression:levels=0.1+0.5+0.9"
            )

    @property
    def outputs(self) -> int:
        return len(self.levels)

    def columns(self, name: str) -> tuple[str, ...]:
        return tuple(f"{name}_q{level:g}" for level in self.levels)

    def loss(self, predictions: Tensor, target: Tensor) -> Tensor:
        """Pinball loss of each row, mean over the levels (B,), in standard deviations of the training target."""
        off = target.unsqueeze(1) - predictions
        levels = torch.tensor(self.levels, dtype=off.dtype, device=off.device)
        return torch.maximum(levels * off, (levels - 1) * off).mean(dim=1)

    @property
    def named_loss(self) -> NamedLoss:
        return NamedLoss("quantile", self.levels)

    def divergence(self, predictions: Tensor, reference: Tensor) -> Tensor:
        """Squared difference of each row, mean over the levels (B,)."""
        return (predictions - reference).square().mean(dim=1)

    def in_units(self, kept: np.ndarray, temperature: float = 1.0) -> np.ndarray:
        """The quantiles (N, levels) in the units of the column, each at least the one before."""
        return np.sort(super().in_units(kept, temperature), axis=1)

    def predicted(self, kept: np.ndarray) -> np.ndarray:
        """The median of each row (N,)."""
        above = min(int(np.searchsorted(self.levels, 0.5)), len(self.levels) - 1)
        below = above if self.levels[above] <= 0.5 else max(above - 1, 0)
        if above == below:
            return kept[:, above]
        share = (0.5 - self.levels[below]) / (self.levels[above] - self.levels[below])
        return np.asarray(kept[:, below] * (1 - share) + kept[:, above] * share)

    def decode(self, kept: np.ndarray) -> list[Any]:
        return [tuple(map(float, row)) for row in kept]

    @property
    def value_type(self) -> pa.DataType:
        return pa.float64()

    def metrics(self) -> Mapping[str, Metric]:
        own = (
            Metric(
                "pinball_loss",
                partial(pinball_loss, self.levels),
                "kept",
                False,
                "Pinball loss",
                "own",
                meaning="how far off the quantiles are, where being above costs a high quantile less than being below; "
                "mean over the levels",
            ),
            Metric(
                "coverage",
                coverage,
                "kept",
                True,
                "Coverage",
                meaning=f"share of rows between the outer quantiles, where {self._wanted:.0%} are meant to be",
            ),
            Metric(
                "interval_width",
                interval_width,
                "kept",
                False,
                "Interval width",
                "own",
                meaning="mean distance of the lowest and the highest quantile",
            ),
        )
        known = {metric.name: metric for metric in own}
        return {name: known.get(name) or METRICS[name] for name in self.metric_names} | self.suited_metrics()

    def means_the_same(self, other: Task) -> bool:
        return isinstance(other, QuantileRegression) and self.levels == other.levels and super().means_the_same(other)

    def constant(self, train: np.ndarray, metric: Metric, kept: np.ndarray) -> tuple[str, np.ndarray] | None:
        """The quantiles of the training rows."""
        found = np.quantile(self.truth(train), self.levels)
        shown = ", ".join(shown_number(float(value)) for value in found)
        return f"the quantiles of the training rows, {shown}", np.tile(found, (len(kept), 1))

    def sections(self, truth: np.ndarray, kept: np.ndarray, rows: SeenRows) -> tuple[Section, ...]:
        """How many rows lie below each quantile, beside how many should."""
        below = [float((truth <= kept[:, at]).mean()) for at in range(len(self.levels))]
        cells = tuple(
            (f"{level:g}", f"{100 * level:g} %", f"{100 * share:.1f} %")
            for level, share in zip(self.levels, below, strict=True)
        )
        inside = float(((truth >= kept[:, 0]) & (truth <= kept[:, -1])).mean())
        sentence = (
            f"Between the lowest and the highest quantile lie {inside:.1%} of {len(truth):,} rows; "
            f"{self._wanted:.0%} are meant to."
        )
        return (Section("Rows below each quantile", (sentence,), Grid(("level", "meant", "found"), cells)),)

    def state(self) -> dict[str, Any]:
        return {**super().state(), "levels": list(self.levels)}

    def with_state(self, state: dict[str, Any]) -> Self:
        return with_learned(super().with_state(state), levels=tuple(float(level) for level in state["levels"]))

    @property
    def _wanted(self) -> float:
        """Share of rows that the outer quantiles are meant to hold."""
        return self.levels[-1] - self.levels[0]


def pinball_loss(levels: tuple[float, ...], truth: np.ndarray, quantiles: np.ndarray) -> Scorer:
    """Mean over rows and levels of level * (truth - quantile) where the truth is above, else (1 - level) * the rest."""
    off, wanted = truth[:, None] - quantiles, np.asarray(levels)
    return mean_of_rows(np.maximum(wanted * off, (wanted - 1) * off).mean(axis=1))


def coverage(truth: np.ndarray, quantiles: np.ndarray) -> Scorer:
    """Share of rows between the lowest and the highest quantile."""
    return mean_of_rows((truth >= quantiles[:, 0]) & (truth <= quantiles[:, -1]))


def interval_width(truth: np.ndarray, quantiles: np.ndarray) -> Scorer:  # noqa: ARG001
    """Mean distance of the lowest and the highest quantile."""
    return mean_of_rows(quantiles[:, -1] - quantiles[:, 0])
