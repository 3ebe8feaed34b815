"""Split-conformal prediction sets: sets of classes that hold the true one as often as was asked for.

Vovk et al. 2005; Sadinle, Lei & Wasserman 2019 (LAC: the smallest sets on average); Romano, Sesia & Candès 2020 (APS:
sets that grow where a row is harder); by class, Vovk 2012 (Mondrian). The promise holds for rows that are drawn like
the calibration rows, whatever the model is: over rows and calibration rows, `coverage` of the sets hold the truth, and
at most 1 / (rows + 1) more.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from graftwork.errors import UsageError
from graftwork.evidence.sure.asked import METHODS, Method, check_coverage
from graftwork.evidence.sure.calibration import Calibration
from graftwork.shown import counted
from graftwork.tasks.task import Task

OWN_ROWS = 100
"""Calibration rows from which a class has a limit of its own: with fewer, rounding alone would widen its sets by more
than a point of coverage. The others share one."""


@dataclass(frozen=True)
class Sets:
    """method: how strange a class is for a row. limits: by class, the strangeness up to which it is in the set (C,).
    groups: by class, the group with which it shares its limit (C,)."""

    method: Method | Literal["labels"]
    limits: np.ndarray
    groups: np.ndarray

    def chosen(self, kept: np.ndarray) -> np.ndarray:
        """Which classes are in the set of each row (N, C), of probabilities (N, C). A set can be empty: then no class
        fits the row as well as the truth fits the calibration rows."""
        found: np.ndarray = strangeness(kept, self.method) <= self.limits
        return found


def conformal_sets(task: Task, rows: Calibration, coverage: float, method: Method = "lac") -> Sets:
    """The sets of a task that predicts one class a row, or any number of them.

    Of one class a row, by class where at least `OWN_ROWS` calibration rows are of it. Of label sets, a set holds all
    labels of a row with the probability `coverage`.

    Raises UsageError for a coverage that is not between 0 and 1, for another method, and where rows are too few.
    """
    check_coverage(coverage)
    if method not in METHODS:
        raise UsageError(f"There are no sets '{method}'. Expected lac or aps.")
    check_rows(len(rows), coverage)
    kind: Method | Literal["labels"] = "labels" if task.answer == "classes" else method
    return Sets(kind, *limits_of(strangeness(rows.kept, kind), rows.truth, coverage))


def limits_of(strange: np.ndarray, truth: np.ndarray, coverage: float) -> tuple[np.ndarray, np.ndarray]:
    """By class, the limit and its group (C,), of the strangeness of M rows (M, C) and their class (M,), or the classes
    that each has (M, C)."""
    count = strange.shape[1]
    if truth.ndim == 2:
        scores = np.where(truth > 0, strange, 0.0).max(axis=1)
        return np.full(count, quantile(scores, coverage)), np.zeros(count, np.int64)
    scores = strange[np.arange(len(truth)), truth]
    groups = class_groups(np.bincount(truth, minlength=count), max(OWN_ROWS, math.ceil(coverage / (1 - coverage))))
    of_group = [quantile(scores[groups[truth] == group], coverage) for group in range(int(groups.max()) + 1)]
    return np.array(of_group)[groups], groups


def held_by(chosen: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Whether each set (N, C) holds the class (N,), or all the classes (N, C), of its row (N,)."""
    if truth.ndim == 2:
        return np.asarray((chosen | (truth == 0)).all(axis=1))
    return np.asarray(chosen[np.arange(len(truth)), truth])


def strangeness(kept: np.ndarray, method: Method | Literal["labels"]) -> np.ndarray:
    """How little each class fits each row (N, C), float64, of probabilities (N, C).

    lac, labels: 1 - p; where one class has nearly all, the sum of the others, so that certain rows still differ.
    aps: the probability of all classes that are more probable, and a random part of its own, drawn by the row's
    probabilities, so that a row has the same set wherever it stands.
    """
    given = kept.astype(np.float64)
    if method == "labels":
        return 1.0 - given
    if method == "lac":
        found = given.sum(axis=1, keepdims=True) - given
        top, rows = given.argmax(axis=1), np.arange(len(given))
        others = given.copy()
        others[rows, top] = 0.0
        found[rows, top] = others.sum(axis=1)
        return np.asarray(found)
    order = np.argsort(-given, axis=1, kind="stable")
    ordered = np.take_along_axis(given, order, axis=1)
    before = np.cumsum(ordered, axis=1) - ordered
    found = np.empty_like(given)
    np.put_along_axis(found, order, before + _draws(kept)[:, None] * ordered, axis=1)
    return found


def quantile(scores: np.ndarray, coverage: float) -> float:
    """The smallest score that, of n + 1 rows that are alike, `coverage` do not exceed: the ceil((n + 1) coverage)-th
    of n; infinite where n is too small for it.

    >>> quantile(np.arange(1.0, 10.0), 0.9), quantile(np.arange(1.0, 10.0), 0.5), quantile(np.arange(1.0, 9.0), 0.9)
    (9.0, 5.0, inf)
    """
    at = place(len(scores), coverage)
    return math.inf if at > len(scores) else float(np.partition(scores, at - 1)[at - 1])


def place(rows: int, coverage: float) -> int:
    """Of so many sorted scores, the one to take, counted from 1; there may be fewer."""
    return math.ceil((rows + 1) * coverage - 1e-9)


def class_groups(counts: np.ndarray, least: int = OWN_ROWS) -> np.ndarray:
    """By class, the group with which it shares a limit (C,): its own from `least` rows on; the rest are one group,
    with the next larger classes where it would be too small itself.

    >>> class_groups(np.array([300, 20, 150, 90])), class_groups(np.array([300, 20, 150, 30]))
    (array([1, 0, 2, 0]), array([1, 0, 0, 0]))
    """
    groups = np.zeros(len(counts), np.int64)
    order = np.argsort(counts, kind="stable")
    shared = counts < least
    for at in order[~shared[order]]:
        if not shared.any() or counts[shared].sum() >= least:
            break
        shared[at] = True
    own = np.flatnonzero(~shared)
    groups[own] = np.arange(len(own)) + (1 if shared.any() else 0)
    return groups


def too_few(rows: int, coverage: float) -> bool:
    """Whether so many rows could keep a promise by saying everything alone."""
    return place(rows, coverage) > rows


def check_rows(rows: int, coverage: float) -> None:
    """Raise UsageError where a promise can't be kept by so few rows but by saying everything."""
    if too_few(rows, coverage):
        about = math.floor(coverage / (1.0 - coverage))
        least = next(n for n in range(max(1, about - 1), about + 3) if place(n, coverage) <= n)
        possible = rows / (rows + 1)
        raise UsageError(
            f"A coverage of {coverage:g} needs {counted(least, 'calibration row')} at least, and there "
            f"{'is' if rows == 1 else 'are'} {rows:,}. Ask for {math.floor(possible * 100) / 100:g} or less, or give "
            "more labelled rows: graft calibrate MODEL labelled.csv."
        )


def _draws(kept: np.ndarray) -> np.ndarray:
    """A number of each row (N,) in [0, 1), as if drawn at random: the bits of its probabilities, well mixed."""
    bits = np.ascontiguousarray(kept.astype(np.float32)).view(np.uint32).astype(np.uint64)
    mixed = np.zeros(len(bits), np.uint64)
    with np.errstate(over="ignore"):
        for column in bits.T:
            mixed = (mixed ^ column) * np.uint64(0x9E3779B97F4A7C15)
            mixed ^= mixed >> np.uint64(29)
        mixed *= np.uint64(0xBF58476D1CE4E5B9)
    return np.asarray((mixed >> np.uint64(11)).astype(np.float64) / 2.0**53)
