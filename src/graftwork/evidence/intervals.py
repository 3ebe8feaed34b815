"""Bootstrap intervals: how far a score could be off because the test rows are a sample.

Efron 1979, percentile method. Rows are drawn with replacement, and every metric sees the same draws. A draw is held as
how often it took each row, and a metric scores a whole block of draws in one pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from graftwork.tasks.metrics import METRICS, Metric

RESAMPLES = 1000
_FEWEST = 200
_MOST_DRAWS = 200_000_000
_BLOCK = 2_000_000


@dataclass(frozen=True)
class Interval:
    """A score and its 95 % interval; low <= value <= high."""

    value: float
    low: float
    high: float

    def to_json(self) -> dict[str, float]:
        return {"value": self.value, "low": self.low, "high": self.high}


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
    interval. A share of rows that is exactly 0 or 1 gets the exact binomial bound instead, since every draw of rows
    that are all right is all right too.
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
    return {
        name: _interval(METRICS[name], float(scorer(alike)[0]), np.concatenate(drawn[name]), count, level)
        for name, scorer in scorers.items()
    }


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


def _interval(metric: Metric, value: float, drawn: np.ndarray, rows: int, level: float) -> Interval:
    if metric.share_of_rows and value in (0.0, 1.0):
        bound = ((1 - level) / 2) ** (1 / rows)
        return Interval(value, bound, 1.0) if value == 1.0 else Interval(value, 0.0, 1 - bound)
    return _percentiles(value, drawn, level)


def _percentiles(value: float, drawn: np.ndarray, level: float) -> Interval:
    """Draws that say nothing (NaN: all of one unit) are left out."""
    drawn = drawn[~np.isnan(drawn)] if np.isnan(drawn).any() else drawn
    if not len(drawn):
        return Interval(value, value, value)
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, min(float(low), value), max(float(high), value))
