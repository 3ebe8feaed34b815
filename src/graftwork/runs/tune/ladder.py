"""Successive halving: at which steps a run is scored and may be paused, and which paused trials are taken up next.

After Jamieson & Talwalkar 2016 and, since a rung is reopened whenever later trials make more places, Li et al. 2020
(ASHA). Pure functions of scores, steps and numbers: no clock, no order of completion.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from graftwork.evidence.tune.trials import Trial

SHARES = (9, 3, 1)
"""A run is scored after this part of its steps, and at its end."""
APART = 8
"""Steps between two rungs at least, and before the first one."""
KEPT = 3
"""One of so many is taken up to the next rung."""
TOP = len(SHARES) - 1
"""The level of a run that is trained to its end."""


class TakenUp(NamedTuple):
    """A paused trial goes on until it is scored at a level, of 0 to `TOP`."""

    number: int
    level: int


def rungs_of(steps: int) -> dict[int, int]:
    """The steps at which a run of so many is scored, by level; short runs have fewer levels, probes none.

    >>> rungs_of(90), rungs_of(30), rungs_of(12), rungs_of(0)
    ({0: 10, 1: 30, 2: 90}, {1: 10, 2: 30}, {2: 12}, {})
    """
    found = {TOP: steps} if steps > 0 else {}
    for level in range(TOP - 1, -1, -1):
        at = steps // SHARES[level]
        if at >= APART and found[level + 1] - at >= APART:
            found[level] = at
        else:
            break
    return dict(sorted(found.items()))


def first_level(steps: int) -> int:
    """The lowest level of a run of so many steps."""
    return min(rungs_of(steps), default=TOP)


def scores_by_level(trial: Trial) -> dict[int, float]:
    """A trial's scores at the levels that it reached; none of a probe, which has no levels."""
    levels = {step: level for level, step in rungs_of(trial.steps).items()}
    return {levels[step]: score for step, score in trial.rungs if step in levels}


def taken_up(trials: Sequence[Trial]) -> tuple[TakenUp, ...]:
    """Which paused trials go on, the highest level first, by number within one: of all that were ever scored at a level
    the best third (rounded down), as far as they are still paused there."""
    found: list[TakenUp] = []
    for level in range(TOP - 1, -1, -1):
        scored = [(one, scores_by_level(one)) for one in trials if one.state in ("finished", "paused")]
        ranked = sorted(((scores[level], -one.number, one) for one, scores in scored if level in scores), reverse=True)
        best = [one for _, _, one in ranked[: len(ranked) // KEPT]]
        paused = [one for one in best if one.state == "paused" and max(scores_by_level(one)) == level]
        found += [TakenUp(one.number, level + 1) for one in sorted(paused, key=lambda one: one.number)]
    return tuple(found)


def best_paused(trials: Iterable[Trial]) -> Trial | None:
    """The paused trial that is worth finishing first where no new ones are begun: of the highest level the best."""
    paused = [(max(scores_by_level(one).items()), -one.number, one) for one in trials if one.state == "paused"]
    return max(paused, key=lambda found: found[:2])[2] if paused else None
