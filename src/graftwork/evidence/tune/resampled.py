"""The scores of many trials on draws of the judged rows: what comparisons, the choice and its optimism are made of.

Every trial sees the same draws, so that differences are paired. A draw leaves some 37 % of the rows out, and what a
trial scores on those is kept beside what it scores on the draw (Tsamardinos et al. 2018).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from graftwork.evidence.scores.intervals import RESAMPLES, Interval, draws, percentiles
from graftwork.evidence.tune.superior import Bounds, bounds
from graftwork.tasks.metrics.metric import Metric, Scorer

FEWEST_DRAWS = 50
"""Draws on which every trial has a score, with fewer of which nothing is compared."""
_MOST_SCORES, _MOST_ROWS = 50_000, 400_000_000
"""Scores on draws, and rows that are read for them, beyond which fewer draws are taken; at the least 200 are."""


@dataclass(frozen=True)
class Judged:
    """One target on the rows that judge. metric: by which trials are scored. truth (n,), given (n, ...): what it reads
    of the labelled rows, given by the number of the trial. rows (n,): their places among all N judged rows; None: all.
    """

    metric: Metric
    truth: Any
    given: Mapping[int, Any]
    rows: np.ndarray | None = None


@dataclass(frozen=True)
class Resampled:
    """numbers: of the T trials. values (T,): their scores on all rows, more is better. drawn, left_out (R, T): on the
    rows of each of R draws, and on those that it left out; draws on which some trial has no score are gone. rows: N."""

    numbers: tuple[int, ...]
    values: np.ndarray
    drawn: np.ndarray
    left_out: np.ndarray
    rows: int

    def compared(self, first: int, second: int, level: float = 0.95) -> Interval | None:
        """How much better the first trial scores than the second, paired over rows; None where nothing can be said.

        first, second: their numbers. level: of the interval (percentile method, Efron 1979)."""
        places = [self.numbers.index(one) for one in (first, second) if one in self.numbers]
        if len(places) < 2 or len(self.drawn) < FEWEST_DRAWS:
            return None
        one, other = places
        value = float(self.values[one] - self.values[other])
        if not math.isfinite(value):
            return None
        return Interval(value, *percentiles(value, self.drawn[:, one] - self.drawn[:, other], level))

    def among(self, numbers: Sequence[int]) -> Resampled:
        """The same of these trials alone, in this order."""
        places = [self.numbers.index(one) for one in numbers]
        return Resampled(
            tuple(numbers), self.values[places], self.drawn[:, places], self.left_out[:, places], self.rows
        )

    @cached_property
    def bounds(self) -> Bounds:
        """By how much one may score above another by chance, among so many."""
        return bounds(self.values, self.drawn, self.rows)


def resampled(
    targets: Sequence[Judged], rows: int, *, units: np.ndarray | None = None, seed: int = 0, resamples: int = RESAMPLES
) -> Resampled:
    """Score every trial that all targets have on draws of the judged rows. Of several targets the mean counts.

    rows: N, of which targets are judged on some. units (N,): rows with the same value are drawn together, where they
    are not independent (photos of one person). resamples: draws, fewer where rows or trials are very many.
    """
    numbers = tuple(sorted(set.intersection(*(set(one.given) for one in targets)))) if targets else ()
    codes = np.arange(rows) if units is None else np.unique(units, return_inverse=True)[1]
    if not numbers or not rows:
        empty = np.zeros((0, len(numbers)))
        return Resampled(numbers, np.full(len(numbers), np.nan), empty, empty, rows)
    scorers = [{number: one.metric.scorer(one.truth, one.given[number]) for number in numbers} for one in targets]
    most = min(_MOST_SCORES // len(numbers), _MOST_ROWS // (rows * len(numbers)))
    taken = min(resamples, max(200, most))
    drawn, left_out = list[np.ndarray](), list[np.ndarray]()
    for counts in draws(int(codes.max()) + 1, seed, taken):
        for found, weights in ((drawn, counts), (left_out, (counts == 0).astype(np.float64))):
            found.append(_scores(targets, scorers, numbers, weights[:, codes]))
    both = np.concatenate(drawn), np.concatenate(left_out)
    values = _scores(targets, scorers, numbers, np.ones((1, rows)))[0]
    whole = np.isfinite(both[0]).all(axis=1) & np.isfinite(both[1]).all(axis=1)
    return Resampled(numbers, values, both[0][whole], both[1][whole], rows)


def _scores(
    targets: Sequence[Judged], scorers: Sequence[Mapping[int, Scorer]], numbers: Sequence[int], weights: np.ndarray
) -> np.ndarray:
    """(R, T), so that more is better; NaN where the drawn rows say nothing."""
    total = np.zeros((len(weights), len(numbers)))
    for one, by_number in zip(targets, scorers, strict=True):
        sign = 1.0 if one.metric.higher_is_better else -1.0
        own = weights if one.rows is None else weights[:, one.rows]
        empty = own.sum(axis=1) == 0
        own = np.where(empty[:, None], 1.0, own)  # scored as if all were drawn, and forgotten below
        found = np.stack([by_number[number](own) for number in numbers], axis=1)
        total += np.where(empty[:, None], np.nan, sign * found)
    return total / len(targets)
