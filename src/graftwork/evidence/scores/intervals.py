"""Bootstrap intervals: how far a score could be off because the test rows are a sample.

Efron 1979, percentile method. Rows are drawn with replacement, and every metric sees the same draws. A draw is held as
how often it took each row, and a metric scores a whole block of draws in one pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from graftwork.tasks.metrics.registry import METRICS, Metric

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


def score_text(name: str, interval: Interval) -> str:
    """A score with its interval, in the metric's own unit."""
    text = METRICS[name].text
    if METRICS[name].unit == "percent" and interval.says_nothing:
        return f"{text(interval.value)} (too few rows to say)"
    return f"{text(interval.value)} ({text(interval.low)} to {text(interval.high)})"


def bootstrap(
    truth: np.ndarray,
    given: Mapping[str, np.ndarray],
    seed: int = 0,
    resamples: int = RESAMPLES,
    level: float = 0.95,
    units: np.ndarray | None = None,
) -> dict[str, Interval]:
    """The interval of each metric in `given`, which holds by metric name what that metric reads (N, ...).

    units (N,): rows with the same value are drawn together, where they are not independent (photos of one person).

    Beyond 200,000 rows fewer draws are taken, 200 at the least: the intervals are narrow there, and time is short.
    A metric that the draws push to one side (the calibration error is biased upwards) keeps its value inside the
    interval. A share that is exactly 0 or 1 in every draw gets Wilson's bound (1927) instead, since every draw of rows
    that are all right is all right too. Of fewer than five units a share could be anything: its interval is 0 to 1.
    """
    rows = len(truth)
    codes = np.arange(rows) if units is None else np.unique(units, return_inverse=True)[1]
    count = int(codes.max()) + 1
    scorers = {name: METRICS[name].scorer(truth, values) for name, values in given.items()}
    drawn: dict[str, list[np.ndarray]] = {name: [] for name in given}
    for weights in draws(count, seed, resamples):
        for name, scorer in scorers.items():
            drawn[name].append(scorer(weights if units is None else weights[:, codes]))
    alike = np.ones((1, rows))
    few = units is not None and count < FEWEST_UNITS
    found = {}
    for name, scorer in scorers.items():
        metric, value, scores = METRICS[name], float(scorer(alike)[0]), np.concatenate(drawn[name])
        if few and metric.unit == "percent":
            found[name] = Interval(value, 0.0, 1.0)
        elif metric.unit == "percent" and value in (0.0, 1.0) and np.all(scores[~np.isnan(scores)] == value):
            bound = float(np.mean(_wilson(_counted(metric, truth, count), level)))
            found[name] = Interval(value, bound, 1.0) if value == 1.0 else Interval(value, 0.0, 1 - bound)
        else:
            found[name] = _percentiles(value, scores, level)
    return found


def difference(
    metric: str,
    truth: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    seed: int = 0,
    resamples: int = RESAMPLES,
    level: float = 0.95,
) -> Interval:
    """How much better `first` scores than `second` on the same rows; above 0 it is better, whichever way the metric
    goes. Paired: each draw takes the same rows for both. first, second: what the metric reads (N, ...)."""
    sign = 1.0 if METRICS[metric].higher_is_better else -1.0
    one, other = (METRICS[metric].scorer(truth, given) for given in (first, second))
    drawn = [sign * (one(weights) - other(weights)) for weights in draws(len(truth), seed, resamples)]
    alike = np.ones((1, len(truth)))
    return _percentiles(sign * float((one(alike) - other(alike))[0]), np.concatenate(drawn), level)


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


def _counted(metric: Metric, truth: np.ndarray, units: int) -> np.ndarray:
    """What a share is the share of: rows or units, or the rows of each class for a mean over classes."""
    if not metric.mean_of_classes:
        return np.array([units])
    sizes = truth.sum(axis=0) if truth.ndim == 2 else np.unique(truth, return_counts=True)[1]
    there: np.ndarray = sizes[sizes > 0]
    return there if len(there) else np.array([units])


def _wilson(rows: np.ndarray, level: float) -> np.ndarray:
    """The lower bound of a share that is 1 in so many rows."""
    z = NormalDist().inv_cdf((1 + level) / 2)
    bound: np.ndarray = rows / (rows + z * z)
    return bound


def _percentiles(value: float, drawn: np.ndarray, level: float) -> Interval:
    """Draws that say nothing (NaN: all of one unit) are left out."""
    drawn = drawn[~np.isnan(drawn)] if np.isnan(drawn).any() else drawn
    if not len(drawn):
        return Interval(value, value, value)
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, min(float(low), value), max(float(high), value))
