"""Bootstrap intervals: how far a score could be off because the test rows are a sample.

Efron 1979, percentile method. Rows are drawn with replacement, and every metric sees the same draws. A draw is held as
how often it took each row, and a metric scores a whole block of draws in one pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any

import numpy as np

from graftwork.tasks.metrics.metric import Metric

RESAMPLES = 1000
FEWEST_UNITS = 5
"""Units (people) below which nothing is said of how far a score could be off."""
_FEWEST = 200
_MOST_DRAWS = 200_000_000
_BLOCK = 2_000_000


@dataclass(frozen=True)
class Interval:
    """A score and its 95 % interval; low <= value <= high."""

    value: float
    low: float
    high: float

    @property
    def says_nothing(self) -> bool:
        """Whether it is all that a share can be: the rows are too few."""
        return self.low <= 0.0 and self.high >= 1.0

    def to_json(self) -> dict[str, float]:
        return {"value": self.value, "low": self.low, "high": self.high}


@dataclass(frozen=True)
class Score(Interval):
    """An interval that knows of which metric it is, and so how it is called and shown."""

    metric: Metric = field(repr=False, compare=False)

    @property
    def display(self) -> str:
        """What the metric is called in reports."""
        return self.metric.display

    @property
    def text(self) -> str:
        """The score with its interval, in the metric's own unit: `93.6 % (92.1 % to 94.9 %)`."""
        return f"{self.value_text} ({self.interval_text})"

    @property
    def value_text(self) -> str:
        """The score alone."""
        return self.metric.text(self.value)

    @property
    def interval_text(self) -> str:
        """From where to where, or that nothing can be said."""
        if self.metric.unit == "percent" and self.says_nothing:
            return "too few rows to say"
        return f"{self.metric.text(self.low)} to {self.metric.text(self.high)}"


def bootstrap(
    truth: Any,
    given: Iterable[tuple[Metric, Any]],
    seed: int = 0,
    resamples: int = RESAMPLES,
    level: float = 0.95,
    units: np.ndarray | None = None,
) -> dict[str, Score]:
    """The scores of N rows with their intervals, by the names of the metrics. given: each metric with what it reads.

    units (N,): rows with the same value are drawn together, where they are not independent (photos of one person).

    Beyond 200,000 rows fewer draws are taken, 200 at the least: the intervals are narrow there, and time is short.
    A metric that the draws push to one side (the calibration error is biased upwards) keeps its value inside the
    interval. A share that is exactly 0 or 1 in every draw gets Wilson's bound (1927) instead, since every draw of rows
    that are all right is all right too. Of fewer than five units a share could be anything: its interval is 0 to 1.
    A metric with an interval of its own (`Metric.interval`) has that where rows are independent, without units.
    """
    metrics, rows = list(given), len(truth)
    codes = np.arange(rows) if units is None else np.unique(units, return_inverse=True)[1]
    count = int(codes.max()) + 1
    scorers = [metric.scorer(truth, values) for metric, values in metrics]
    drawn: list[list[np.ndarray]] = [[] for _ in scorers]
    for weights in draws(count, seed, resamples):
        for blocks, scorer in zip(drawn, scorers, strict=True):
            blocks.append(scorer(weights if units is None else weights[:, codes]))
    alike = np.ones((1, rows))
    few = units is not None and count < FEWEST_UNITS
    found = {}
    for (metric, values), scorer, blocks in zip(metrics, scorers, drawn, strict=True):
        value, scores = float(scorer(alike)[0]), np.concatenate(blocks)
        own = metric.interval(truth, values, level) if metric.interval and units is None else None
        if own is not None:
            low, high = min(own[0], value), max(own[1], value)
        elif few and metric.unit == "percent":
            low, high = 0.0, 1.0
        elif metric.unit == "percent" and value in (0.0, 1.0) and np.all(scores[~np.isnan(scores)] == value):
            bound = float(np.mean(wilson_bound(_counted(metric, truth, count), level)))
            low, high = (bound, 1.0) if value == 1.0 else (0.0, 1 - bound)
        else:
            low, high = percentiles(value, scores, level)
        found[metric.name] = Score(value, low, high, metric)
    return found


def difference(
    metric: Metric,
    truth: Any,
    first: Any,
    second: Any,
    seed: int = 0,
    resamples: int = RESAMPLES,
    level: float = 0.95,
) -> Interval:
    """How much better `first` scores than `second` on the same rows; above 0 it is better, whichever way the metric
    goes. Paired: each draw takes the same rows for both. first, second: what the metric reads (N, ...)."""
    sign = 1.0 if metric.higher_is_better else -1.0
    one, other = (metric.scorer(truth, given) for given in (first, second))
    drawn = [sign * (one(weights) - other(weights)) for weights in draws(len(truth), seed, resamples)]
    alike = np.ones((1, len(truth)))
    value = sign * float((one(alike) - other(alike))[0])
    return Interval(value, *percentiles(value, np.concatenate(drawn), level))


def draws(rows: int, seed: int, resamples: int = RESAMPLES) -> Iterator[np.ndarray]:
    """Blocks (R, rows) of draws: how often each took each row. Memory stays flat, a block holds 2 million counts."""
    generator = np.random.default_rng(seed)
    left = min(resamples, max(_FEWEST, _MOST_DRAWS // rows))
    while left > 0:
        block = min(left, max(1, _BLOCK // rows))
        picked = generator.integers(rows, size=(block, rows))
        picked += np.arange(block)[:, None] * rows
        counts = np.bincount(picked.reshape(-1), minlength=block * rows)
        yield counts.reshape(block, rows).astype(np.float64)
        left -= block


def _counted(metric: Metric, truth: Any, units: int) -> np.ndarray:
    """What a share is the share of: rows or units, or the rows of each class for a mean over classes."""
    if not metric.mean_of_classes or not isinstance(truth, np.ndarray):
        return np.array([units])
    sizes = truth.sum(axis=0) if truth.ndim == 2 else np.unique(truth, return_counts=True)[1]
    there: np.ndarray = sizes[sizes > 0]
    return there if len(there) else np.array([units])


def wilson_bound(rows: np.ndarray, level: float) -> np.ndarray:
    """The lower bound of a share that is 1 in so many rows."""
    z = NormalDist().inv_cdf((1 + level) / 2)
    bound: np.ndarray = rows / (rows + z * z)
    return bound


def percentiles(value: float, drawn: np.ndarray, level: float) -> tuple[float, float]:
    """The ends of an interval that holds the value. Draws that say nothing (NaN: all of one unit) are left out."""
    drawn = drawn[~np.isnan(drawn)] if np.isnan(drawn).any() else drawn
    if not len(drawn):
        return value, value
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return min(float(low), value), max(float(high), value)
