"""Which of the trials is kept: the best score, but of those that chance can't tell from it the plainest."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from graftwork.errors import UsageError
from graftwork.evidence.scores.intervals import Interval
from graftwork.evidence.tune.costs import costs_text, limits_text, needed_text
from graftwork.evidence.tune.trials import Limits, Trial
from graftwork.shown import counted, shown_line

Compared = Callable[[int, int, float], Interval | None]
"""The interval of score(first) - score(second), by their numbers and its level; None where nothing can be said."""
Alike = Callable[[Sequence[int]], Sequence[int]]
"""Of the numbers of trials those that none of the others is above by more than chance."""
ONE_ERROR = 0.683
"""The level of an interval of one standard error to each side."""


@dataclass(frozen=True)
class Chosen:
    """The trial that is kept, and what it is compared with; all trials by their numbers.

    number: the kept one. best: of the best score, which may be another one within noise of it. alike: all that chance
    can't tell from the best, with these two, the plainest first. runner_up: the best score of the others. default: what
    `fit` would have kept of its own candidates; the kept one itself, or None where none of them is finished.
    to_runner_up, to_default: how much better the kept one scores, 95 %, paired over rows; None where that is not known.
    why: why nothing is known of differences; empty where it is. beyond: trials with a better score than the kept one
    that are beyond the limits, the best first. unfinished: nothing was trained to its end, so the best of those under
    way is kept.
    """

    number: int
    best: int
    alike: tuple[int, ...]
    runner_up: int | None = None
    default: int | None = None
    to_runner_up: Interval | None = None
    to_default: Interval | None = None
    why: str = ""
    beyond: tuple[int, ...] = ()
    unfinished: bool = False

    @property
    def plainer(self) -> bool:
        """Whether a plainer one was kept in place of the best score."""
        return self.number != self.best

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data."""
        intervals = {name: getattr(self, name) for name in ("to_runner_up", "to_default")}
        return {
            **{name: getattr(self, name) for name in ("number", "best", "runner_up", "default", "why", "unfinished")},
            **{name: list(getattr(self, name)) for name in ("alike", "beyond")},
            **{name: one.to_json() if one else None for name, one in intervals.items()},
        }


def choose(
    trials: Sequence[Trial],
    compared: Compared,
    limits: Limits | None = None,
    *,
    alike: Alike | None = None,
    why: str = "",
) -> Chosen:
    """Choose among the trials that are finished and keep the limits.

    compared: gives paired intervals (`Resampled.compared`). alike: which of them are as good as the best
    (`Resampled.alike`, which knows how many compete); None: those whose interval to the best, at one standard error,
    holds 0. why: why nothing is compared, where `compared` knows nothing. Raises UsageError where no trial has a score,
    and, naming the nearest, where none keeps the limits.
    """
    limits = limits or Limits()
    scored = [one for one in trials if one.score is not None and math.isfinite(one.score)]
    finished = [one for one in scored if one.state == "finished"]
    pool = finished or [one for one in scored if one.state == "paused"]
    if not pool:
        raise UsageError(_nothing_scored(trials))
    keeping = [one for one in pool if keeps(one, limits)]
    if not keeping:
        raise UsageError(_nothing_keeps(pool, limits))
    ranked = sorted(keeping, key=_by_score)
    best = ranked[0]
    same = set(_as_good(ranked, compared, alike)) | {best.number}
    order = sorted((one for one in ranked if one.number in same), key=lambda one: one.plainness)
    kept = order[0]
    runner_up = next((one.number for one in ranked if one.number != kept.number), None)
    default = plain_default(pool)
    beyond = [one for one in sorted(pool, key=_by_score) if not keeps(one, limits) and _score(one) > _score(kept)]
    against = [None if one in (None, kept.number) else compared(kept.number, one, 0.95) for one in (runner_up, default)]
    unknown = not any(against) and runner_up is not None
    return Chosen(
        number=kept.number,
        best=best.number,
        alike=tuple(one.number for one in order),
        runner_up=runner_up,
        default=default,
        to_runner_up=against[0],
        to_default=against[1],
        why=(why or "nothing is known of their rows") if unknown else "",
        beyond=tuple(one.number for one in beyond),
        unfinished=not finished,
    )


def plain_default(trials: Sequence[Trial]) -> int | None:
    """The number of what `fit` would have kept of its own candidates: the best score among the finished ones."""
    own = [one for one in trials if one.origin == "default" and one.score is not None]
    return min(own, key=_by_score).number if own else None


def keeps(trial: Trial, limits: Limits) -> bool:
    """Whether a trial keeps the limits; not where what a limit is of was not measured."""
    return _measured(trial, limits) and limits.met_by(trial)


def _measured(trial: Trial, limits: Limits) -> bool:
    return (limits.latency is None or trial.latency > 0) and (limits.size is None or trial.size > 0)


def _as_good(ranked: Sequence[Trial], compared: Compared, alike: Alike | None) -> Sequence[int]:
    if alike is not None:
        return alike([one.number for one in ranked])
    found = [(one.number, compared(ranked[0].number, one.number, ONE_ERROR)) for one in ranked[1:]]
    return [number for number, gap in found if gap is not None and gap.low <= 0 <= gap.high]


def _by_score(one: Trial) -> tuple[float, tuple[int, int, int]]:
    return -_score(one), one.plainness


def _score(one: Trial) -> float:
    return -math.inf if one.score is None else one.score


def _nothing_scored(trials: Sequence[Trial]) -> str:
    if not trials:
        return "No trial was run, so there is nothing to choose from. Give more time (--budget) or trials (--trials)."
    why = next((one.failed for one in reversed(trials) if one.failed), "")
    told = f" The last one says: {shown_line(why)}" if why else ""
    return (
        f"None of {counted(len(trials), 'trial')} has a score, so there is nothing to choose from.{told} Mend that, "
        "or give more time (--budget)."
    )


def _nothing_keeps(pool: Sequence[Trial], limits: Limits) -> str:
    """Names the one that is least beyond the limit that it is furthest beyond."""
    measured = [one for one in pool if _measured(one, limits)]
    asked = limits_text(limits)
    if not measured:
        return f"No trial was measured, so none is known to keep the limits ({asked}). Give more time (--budget)."
    nearest = min(measured, key=lambda one: (max(limits.excess(one)), _by_score(one)))
    return (
        f"None of {counted(len(pool), 'trial')} keeps the limits ({asked}). The nearest is trial {nearest.number}, "
        f"'{shown_line(nearest.name)}': {costs_text(nearest)}. Allow that ({needed_text(nearest, limits)}), or try "
        "smaller bases (--try-base; `graft list bases` shows them)."
    )
