"""Which of the trials is kept, by the rule in `rule.py`, and what it is compared with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graftwork.errors import UsageError
from graftwork.evidence.scores.intervals import Interval
from graftwork.evidence.tune.costs import costs_text, limits_text, needed_text
from graftwork.evidence.tune.resampled import FEWEST_DRAWS, Resampled
from graftwork.evidence.tune.rule import Kept, Why, best_place, default_place, keep
from graftwork.evidence.tune.trials import Limits, Trial
from graftwork.shown import counted, shown_line


@dataclass(frozen=True)
class Chosen:
    """The trial that is kept, and what it is compared with; all trials by their numbers.

    number: the kept one. best: of the best score, which may be another one. rule: why this one is kept. among: those
    that it is the plainest of, with itself, the plainest first. runner_up: the best score of the others. default: the
    best of the candidates that `fit` would try, which may be the kept one; of those within the limits where there are
    any; None where none is finished. to_runner_up, to_default: how much better the kept one scores, 95 %, paired over
    rows; None where that is not known. why: why nothing is known of differences; empty where it is. beyond: trials with
    a better score than the kept one that are beyond the limits, the best first. unfinished: nothing that was trained to
    its end keeps the limits, so the best of those under way is kept.
    """

    number: int
    best: int
    rule: Why = "best"
    among: tuple[int, ...] = ()
    runner_up: int | None = None
    default: int | None = None
    to_runner_up: Interval | None = None
    to_default: Interval | None = None
    why: str = ""
    beyond: tuple[int, ...] = ()
    unfinished: bool = False

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data."""
        intervals = {name: getattr(self, name) for name in ("to_runner_up", "to_default")}
        return {
            **{name: getattr(self, name) for name in ("number", "best", "rule", "runner_up", "default")},
            **{name: getattr(self, name) for name in ("why", "unfinished")},
            **{name: list(getattr(self, name)) for name in ("among", "beyond")},
            **{name: one.to_json() if one else None for name, one in intervals.items()},
        }


def choose(trials: Sequence[Trial], found: Resampled | None, limits: Limits | None = None, *, why: str = "") -> Chosen:
    """Choose among the trials that are finished and keep the limits; where none is, among those under way.

    found: scores of trials on draws of the judged rows; those that it does not know are not chosen. None, or without
    draws: nothing is known of chance, and the best score is kept. why: why that is. Raises UsageError where no trial
    has a score, and, naming the nearest, where none keeps the limits.
    """
    limits = limits or Limits()
    pool = candidates(trials, limits)
    if not pool:
        raise UsageError(_nothing_scored(trials))
    keeping = [one for one in pool if keeps(one, limits)]
    if not keeping:
        raise UsageError(_nothing_keeps(pool, limits))
    kept, known, best = _kept(keeping, found)
    one, ranked = known[kept.place], sorted(keeping, key=_by_score)
    runner_up = next((other.number for other in ranked if other.number != one.number), None)
    within, against = _default(keeping), _default(pool)
    against = against if within is None else within
    better = [other for other in sorted(pool, key=_by_score) if _score(other) > _score(one)]
    gaps = [_gap(found, one.number, other) for other in (runner_up, against)]
    unknown = not any(gaps) and runner_up is not None
    return Chosen(
        number=one.number,
        best=best.number,
        rule=kept.why,
        among=tuple(known[at].number for at in kept.among),
        runner_up=runner_up,
        default=against,
        to_runner_up=gaps[0],
        to_default=gaps[1],
        why=(why or "nothing is known of their rows") if unknown else "",
        beyond=tuple(other.number for other in better if not keeps(other, limits)),
        unfinished=one.state != "finished",
    )


def candidates(trials: Sequence[Trial], limits: Limits) -> list[Trial]:
    """Those that are compared: finished with a score; where none of them keeps the limits, those under way too."""
    scored = [one for one in trials if one.score is not None and math.isfinite(one.score)]
    finished = [one for one in scored if one.state == "finished"]
    if any(keeps(one, limits) for one in finished):
        return finished
    return [*finished, *(one for one in scored if one.state == "paused")]


def keeps(trial: Trial, limits: Limits) -> bool:
    """Whether a trial keeps the limits; not where what a limit is of was not measured."""
    return _measured(trial, limits) and limits.met_by(trial)


def _measured(trial: Trial, limits: Limits) -> bool:
    return (limits.latency is None or trial.latency > 0) and (limits.size is None or trial.size > 0)


def _kept(keeping: Sequence[Trial], found: Resampled | None) -> tuple[Kept, Sequence[Trial], Trial]:
    """The kept one by its place among those beside it, and the best of them."""
    known = [one for one in keeping if found is not None and one.number in found.numbers]
    if found is None or not known or len(found.drawn) < FEWEST_DRAWS:
        at = best_place(keeping, np.array([_score(one) for one in keeping]))
        return Kept(at, "best", (at,)), keeping, keeping[at]
    part = found.among([one.number for one in known])
    return keep(known, part.values, part.bounds), known, known[best_place(known, part.values)]


def _gap(found: Resampled | None, kept: int, other: int | None) -> Interval | None:
    return None if found is None or other is None or other == kept else found.compared(kept, other)


def _default(trials: Sequence[Trial]) -> int | None:
    """The number of the best of what `fit` would try."""
    at = default_place(trials, np.array([_score(one) for one in trials]))
    return None if at is None else trials[at].number


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
        f"'{shown_line(nearest.name)}': {costs_text(nearest)}. Allow that ({needed_text(nearest, limits)}; "
        "--resume goes on with these trials), or try smaller bases (--try-base; `graft list bases` shows them)."
    )
