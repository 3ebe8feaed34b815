"""Whether any of several trials is better than one by more than chance makes of so many.

Among many trials that are worth the same, the best score lies above that of any given one, and the further the more
there are. So the distance to the best is held against what it would be by chance among all of them: the test for
superior predictive ability (Hansen 2005) over a paired bootstrap. Of two trials it is the rule of one standard error.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

ERROR = 0.16
"""How often, at most, some trial passes for better than one that is as good as all of them: one standard error,
one-sided (the upper tail of a 68 % interval)."""


@dataclass(frozen=True)
class Bounds:
    """errors (T, T): the standard errors of differences between trials. critical (T,): how many of those another may
    score above each trial by chance."""

    errors: np.ndarray
    critical: np.ndarray


def bounds(values: np.ndarray, drawn: np.ndarray, rows: int, error: float = ERROR) -> Bounds:
    """values (T,): scores, more is better. drawn (R, T): the same on draws of the N rows.

    A trial that lies far below another can't beat it by chance, and does not widen its bound: it is left where it is,
    as Hansen (2005) does, if it is more than sqrt(2 log log N) standard errors below.
    """
    trials = len(values)
    errors, critical = np.zeros((trials, trials)), np.zeros(trials)
    far = math.sqrt(2 * math.log(max(math.log(max(rows, 3)), 1.0)))
    for at in range(trials):
        ahead = values - values[at]
        moved = drawn - drawn[:, [at]] - ahead
        errors[at] = np.sqrt((moved**2).mean(axis=0))
        there = errors[at] > 0
        if there.any():
            ratio = ahead[there] / errors[at][there]
            chance = moved[:, there] / errors[at][there] + np.where(ratio < -far, ratio, 0.0)
            critical[at] = max(0.0, float(np.quantile(chance.max(axis=1), 1 - error)))
    return Bounds(errors, critical)


def alike(values: np.ndarray, found: Bounds) -> np.ndarray:
    """Of each trial (T,), whether none scores above it by more than chance. The best is always among them."""
    ahead = values[None, :] - values[:, None]
    same: np.ndarray = (ahead <= found.critical[:, None] * found.errors + 1e-12).all(axis=1)
    same[int(np.argmax(values))] = True
    return same
