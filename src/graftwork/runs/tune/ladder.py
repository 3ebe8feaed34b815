"""Successive halving: at which steps a run is scored and may be paused, and which paused trials are taken up next.

After Jamieson & Talwalkar 2016 and, since a rung is reopened whenever later trials make more places, Li et al. 2020
(ASHA). Pure functions of scores, steps and numbers: no clock, no order of completion.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from graftwork.evidence.tune.front import QUALITY, Objective, undominated, values_of
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


def taken_up(trials: Sequence[Trial], objectives: Sequence[Objective] = QUALITY) -> tuple[TakenUp, ...]:
    """Which paused trials go on, the highest level first, by number within one: of all that were ever scored at a level
    the best third (rounded down), as far as they are still paused there.

    Best is the highest score at that level; of several objectives those that no other one beats in all, then those that
    none beats but the former, and so on (non-dominated sorting, Deb et al. 2002), by score within each."""
    found: list[TakenUp] = []
    for level in range(TOP - 1, -1, -1):
        scored = [(one, scores_by_level(one)) for one in trials if one.state in ("finished", "paused")]
        ranked = _ranked([(scores[level], one) for one, scores in scored if level in scores], objectives)
        best = ranked[: len(ranked) // KEPT]
        paused = [one for one in best if one.state == "paused" and max(scores_by_level(one)) == level]
        found += [TakenUp(one.number, level + 1) for one in sorted(paused, key=lambda one: one.number)]
    return tuple(found)


def best_paused(trials: Iterable[Trial], objectives: Sequence[Objective] = QUALITY) -> Trial | None:
    """The paused trial that is worth finishing first where no new ones are begun: of the highest level the best."""
    paused = [(*max(scores_by_level(one).items()), one) for one in trials if one.state == "paused"]
    highest = max((level for level, _, _ in paused), default=0)
    ranked = _ranked([(score, one) for level, score, one in paused if level == highest], objectives)
    return ranked[0] if ranked else None


def _ranked(scored: Iterable[tuple[float, Trial]], objectives: Sequence[Objective]) -> list[Trial]:
    """Trials with their scores, the best first; of those that are the same the earlier one."""
    left, found = sorted(scored, key=lambda pair: (-pair[0], pair[1].number)), list[Trial]()
    while left and len(objectives) > 1:
        values = np.nan_to_num(values_of([one for _, one in left], objectives), nan=-np.inf)
        values[:, objectives.index("score")] = [score for score, _ in left]
        front = set(undominated(values))
        found += [one for at, (_, one) in enumerate(left) if at in front]
        left = [pair for at, pair in enumerate(left) if at not in front]
    return found + [one for _, one in left]
