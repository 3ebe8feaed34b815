"""Whether two samples differ: shares of rows, and numbers. Exact or nearly so where rows are few; no scipy needed."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

_EXACT = 5000
"""Rows with a property up to which its share is compared exactly."""


def shares_differ(first: int, of_first: int, second: int, of_second: int, alpha: float) -> bool:
    """Whether `second` of `of_second` rows is another share than `first` of `of_first`, two-sided at `alpha`.

    Fisher's exact test (each tail at half of alpha); for large counts the normal approximation.
    """
    every, marked = of_first + of_second, first + second
    if marked in (0, every) or not of_first or not of_second:
        return False
    if min(marked, every - marked) > _EXACT:
        share = marked / every
        error = math.sqrt(share * (1 - share) * (1 / of_first + 1 / of_second))
        return abs(second / of_second - first / of_first) > NormalDist().inv_cdf(1 - alpha / 2) * error
    upper = second / of_second > first / of_first
    low, high = max(0, marked - of_first), min(marked, of_second)
    tail = range(second, high + 1) if upper else range(low, second + 1)
    logs = [_choose(of_second, at) + _choose(of_first, marked - at) for at in tail]
    peak = max(logs)
    total = peak + math.log(sum(math.exp(one - peak) for one in logs)) - _choose(every, marked)
    return total < math.log(alpha / 2)


def numbers_differ(first: np.ndarray, second: np.ndarray, alpha: float) -> bool:
    """Whether two samples of numbers are of different distributions: Kolmogorov and Smirnov's test at `alpha`.

    With ties it errs on the side of no difference.
    """
    if not len(first) or not len(second):
        return False
    both = np.sort(np.concatenate([first, second]))
    at = [np.searchsorted(np.sort(sample), both, side="right") / len(sample) for sample in (first, second)]
    distance = float(np.abs(at[0] - at[1]).max())
    rows = len(first) * len(second) / (len(first) + len(second))
    return distance * math.sqrt(rows) > math.sqrt(-math.log(alpha / 2) / 2)


def _choose(of: int, some: int) -> float:
    """The logarithm of how many ways there are to take `some` of so many."""
    return math.lgamma(of + 1) - math.lgamma(some + 1) - math.lgamma(of - some + 1)
