"""Abstention: which rows are answered, so that of the answers at most a given share is wrong.

SGR, selection with guaranteed risk (Geifman & El-Yaniv 2017, "Selective Classification for Deep Neural Networks",
algorithm 1): a binary search for the most doubtful row that may still be answered, in which the error of each
candidate is bounded from above by inverting the tail of a binomial.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from graftwork.errors import UsageError
from graftwork.evidence.sure.asked import CONFIDENCE, check_error
from graftwork.evidence.sure.calibration import Calibration
from graftwork.evidence.sure.conformal import strangeness
from graftwork.shown import counted
from graftwork.tasks.task import Task


@dataclass(frozen=True)
class Abstention:
    """most: the doubt up to which a row is answered. bound: the error of the answers is below it, as certain as was
    asked. answered, wrong: calibration rows that are, and of them the wrong ones; of `rows`."""

    most: float
    bound: float
    answered: int
    wrong: int
    rows: int

    def abstains(self, task: Task, kept: np.ndarray) -> np.ndarray:
        """Which rows are not answered (N,), of probabilities (N, C)."""
        found: np.ndarray = ~(doubts(task, kept) <= self.most)
        return found


def abstention(task: Task, rows: Calibration, error: float, confidence: float = CONFIDENCE) -> Abstention:
    """With probability `confidence`, at most `error` of the answers are wrong; a label set is where it is not exact.

    Raises UsageError for a task without classes, numbers that are not between 0 and 1, and an error that the rows
    can't promise.
    """
    check_error(error, confidence)
    if task.answer not in ("class", "classes"):
        raise UsageError(
            f"Abstention is for classes and label sets, not for {task.name}. Intervals say how far off a "
            "number may be: --coverage 0.9."
        )
    doubt, wrong = doubts(task, rows.kept), mistakes(task, rows)
    found = sgr(doubt, wrong, error, 1.0 - confidence)
    if found.bound > error:
        least = _possible(doubt, wrong, error, found.bound, 1.0 - confidence)
        raise UsageError(
            f"An error of {error:g} can't be promised: of the surest {counted(found.answered, 'calibration row')} "
            f"(of {found.rows:,}) {found.wrong:,} are wrong, by which it may be up to {found.bound:.3g}. "
            + ("Give" if least >= 1 else f"Ask for {least:.3f} or more, or give")
            + " more labelled rows: graft calibrate MODEL labelled.csv."
        )
    return found


def mistakes(task: Task, rows: Calibration) -> np.ndarray:
    """Which rows are predicted wrong (M,); a label set is where it is not exact."""
    wrong = np.asarray(task.predicted(rows.kept) != rows.truth)
    return np.asarray(wrong.any(axis=1)) if wrong.ndim > 1 else wrong


def doubts(task: Task, kept: np.ndarray) -> np.ndarray:
    """How doubtful each row's prediction is (N,), float64, of probabilities (N, C): that of the classes that were not
    predicted; of label sets, that of any label being wrong, as if they were independent. NaN for rows without."""
    if task.answer == "classes":
        given = np.clip(kept.astype(np.float64), 1e-12, 1 - 1e-12)
        return np.asarray(-np.log(np.where(task.predicted(kept) > 0, given, 1.0 - given)).sum(axis=1))
    found: np.ndarray = strangeness(kept, "lac")[np.arange(len(kept)), task.predicted(kept)]
    return found


def sgr(doubt: np.ndarray, wrong: np.ndarray, error: float, delta: float) -> Abstention:
    """Of M calibration rows: their doubt (M,) and whether the prediction is wrong (M,).

    The candidate that answers most rows with a bound of at most `error`; where none has, the one with the lowest bound.
    """
    ordered = np.sort(doubt)
    steps = max(1, math.ceil(math.log2(len(ordered))))
    low, high = 0, len(ordered)  # so many rows are answered: `low` can be promised, more than `high` can't
    tried = list[Abstention]()
    for _ in range(steps):
        at = (low + high + 1) // 2
        most = float(ordered[at - 1])
        taken = doubt <= most
        answered, mistakes = int(taken.sum()), int(wrong[taken].sum())
        bound = binomial_bound(mistakes, answered, delta / steps)
        tried.append(Abstention(most, bound, answered, mistakes, len(ordered)))
        low, high = (at, high) if bound <= error else (low, max(low, at - 1))
        if low == high:
            break
    kept = [one for one in tried if one.bound <= error]
    if kept:
        return max(kept, key=lambda one: one.answered)
    return min(tried, key=lambda one: one.bound)


def _possible(doubt: np.ndarray, wrong: np.ndarray, refused: float, granted: float, delta: float) -> float:
    """About the least error that can be promised, between one that can't and one that can; in thousandths."""
    low, high = math.floor(refused * 1000), math.ceil(granted * 1000)
    while high - low > 1:
        middle = (low + high) // 2
        good = sgr(doubt, wrong, middle / 1000, delta).bound <= middle / 1000
        low, high = (low, middle) if good else (middle, high)
    return high / 1000


def binomial_bound(wrong: int, rows: int, delta: float) -> float:
    """The largest error b at which `wrong` or fewer of `rows` answers are wrong with probability `delta` or more: the
    b in which the sum over j <= wrong of C(rows, j) b^j (1 - b)^(rows - j) is delta.

    >>> round(binomial_bound(0, 100, 0.05), 4), binomial_bound(5, 5, 0.05)
    (0.0295, 1.0)
    """
    if wrong >= rows:
        return 1.0
    j = np.arange(wrong + 1)
    factorials = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, rows + 1)))])
    ways = factorials[rows] - factorials[j] - factorials[rows - j]
    low, high = wrong / rows, 1.0
    for _ in range(60):
        b = (low + high) / 2
        terms = ways + j * math.log(b) + (rows - j) * math.log1p(-b) if 0 < b < 1 else np.full(1, -math.inf)
        tail = float(np.exp(terms).sum())
        low, high = (b, high) if tail > delta else (low, b)
    return high
