"""How far predicted numbers are off: by half and by nine of ten rows, beside a constant answer, and where most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from graftwork.evidence.scores.intervals import Interval

RANGES = 5
_FEWEST_ROWS = 5


@dataclass(frozen=True)
class RangeError:
    """Rows whose true number is from low to high: how many, how far off on average, and how far too high (+) or low."""

    low: float
    high: float
    rows: int
    off: float
    too_high: float


@dataclass(frozen=True)
class NumberErrors:
    """Distances of predicted numbers from the true ones, in the target's own unit.

    half, nine_of_ten: so many rows are off by no more. mean: of all rows, with its interval. median: of the truth;
    constant: how far off that one number would be on average. better: whether the model is closer than it, with a
    margin that chance does not explain. ranges: fifths of the rows by their true number, in order.
    """

    half: float
    nine_of_ten: float
    mean: Interval
    median: float
    constant: float
    better: bool
    ranges: tuple[RangeError, ...]


def number_errors(truth: np.ndarray, predicted: np.ndarray) -> NumberErrors:
    """Of true and predicted numbers (N,). Always saying the median of these very rows is the best that a constant can
    do, so that a model which is better has learned something."""
    off = np.abs(predicted - truth)
    median = float(np.median(truth))
    constant = np.abs(median - truth)
    margin = _mean(constant - off)
    return NumberErrors(
        half=float(np.quantile(off, 0.5)),
        nine_of_ten=float(np.quantile(off, 0.9)),
        mean=_mean(off, least=0.0),
        median=median,
        constant=float(constant.mean()),
        better=margin.low > 0,
        ranges=_ranges(truth, predicted),
    )


def _mean(values: np.ndarray, least: float = -np.inf) -> Interval:
    """The mean and its 95 % interval by the central limit theorem."""
    mean = float(values.mean())
    spread = 1.96 * float(values.std(ddof=1)) / len(values) ** 0.5 if len(values) > 1 else 0.0
    return Interval(mean, max(least, mean - spread), mean + spread)


def _ranges(truth: np.ndarray, predicted: np.ndarray) -> tuple[RangeError, ...]:
    """Nothing where a fifth of the rows would be too few to say something of."""
    if len(truth) < RANGES * _FEWEST_ROWS:
        return ()
    edges = np.unique(np.quantile(truth, np.linspace(0, 1, RANGES + 1)))
    place = np.clip(np.searchsorted(edges, truth, side="right") - 1, 0, max(len(edges) - 2, 0))
    found = []
    for at in range(max(len(edges) - 1, 0)):
        here = place == at
        if here.any():
            error = predicted[here] - truth[here]
            found.append(
                RangeError(
                    float(truth[here].min()),
                    float(truth[here].max()),
                    int(here.sum()),
                    float(np.abs(error).mean()),
                    float(error.mean()),
                )
            )
    return tuple(found)
