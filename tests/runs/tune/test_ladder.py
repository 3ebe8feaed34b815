"""Rungs of a run, and which paused trials are taken up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from graftwork.evidence.tune.front import OBJECTIVES
from graftwork.evidence.tune.trials import Trial
from graftwork.runs.tune.ladder import APART, TOP, best_paused, first_level, rungs_of, scores_by_level, taken_up


def trial(number: int, scores: Mapping[int, float], steps: int = 90) -> Trial:
    """A trial with scores at some of its levels."""
    rungs = rungs_of(steps)
    state = "finished" if TOP in scores or not steps else "paused"
    reached = tuple((rungs[level], score) for level, score in sorted(scores.items()))
    return Trial(number, f"trial {number}", "searched", state, {}, rungs=reached, steps=steps)  # type: ignore[arg-type]


def test_rungs_are_apart_and_end_at_the_end() -> None:
    for steps in range(1, 400):
        rungs = rungs_of(steps)
        at = [0, *rungs.values()]
        assert at[-1] == steps
        assert rungs[TOP] == steps
        assert list(rungs) == list(range(TOP - len(rungs) + 1, TOP + 1))
        assert len(rungs) == 1 or min(np.diff(at)) >= APART
        assert first_level(steps) == min(rungs)
    assert rungs_of(0) == {}
    assert first_level(0) == TOP


def test_a_third_of_all_that_were_scored_goes_on() -> None:
    low = [trial(number, {0: score}) for number, score in enumerate((0.5, 0.7, 0.6, 0.4))]
    assert taken_up(low) == ((1, 1),)
    low[1] = trial(1, {0: 0.7, 1: 0.75})
    assert taken_up(low) == ()  # the one place is taken
    more = [*low, trial(4, {0: 0.1}), trial(5, {0: 0.2})]
    assert taken_up(more) == ((2, 1),)  # six make two places: the rung is reopened
    assert taken_up([*low, trial(4, {0: 0.9}), trial(5, {0: 0.8})]) == ((4, 1), (5, 1))


def test_the_top_comes_first_and_the_earlier_one_wins_a_tie() -> None:
    several = [trial(number, {0: 0.5, 1: 0.6}) for number in range(3)]
    several += [trial(number, {0: 0.9}) for number in range(3, 6)]
    assert taken_up(several) == ((0, 2), (3, 1), (4, 1))


def test_what_failed_or_has_no_rung_takes_no_place() -> None:
    failed = Trial(0, "failed", "searched", "failed", {}, rungs=((10, 0.99),), steps=90)
    probe = Trial(1, "probe", "default", "finished", {}, rungs=((0, 0.99),), steps=0)
    low = [trial(number, {0: number / 10}) for number in range(2, 5)]
    assert taken_up([failed, probe, *low]) == ((4, 1),)
    assert scores_by_level(probe) == {}


def test_short_runs_compete_at_the_levels_that_they_have() -> None:
    short = [trial(number, {1: 0.5 + number / 100}, steps=30) for number in range(3)]
    assert taken_up(short) == ((2, TOP),)
    assert taken_up([trial(0, {TOP: 0.5}, steps=10), *short[1:]]) == ()


def test_of_several_objectives_the_fronts_come_one_after_the_other() -> None:
    sizes = {0: (0.9, 50), 1: (0.8, 60), 2: (0.5, 10), 3: (0.4, 5), 4: (0.3, 20), 5: (0.2, 90)}
    paused = [replace(trial(number, {0: score}), size=size) for number, (score, size) in sizes.items()]
    assert taken_up(paused) == ((0, 1), (1, 1))
    assert taken_up(paused, ("score", "size")) == ((0, 1), (2, 1))  # 3 is on the front too, and there are two places
    nine = [*paused, *(replace(trial(number, {0: 0.1}), size=99) for number in (6, 7, 8))]
    assert taken_up(nine, ("score", "size")) == ((0, 1), (2, 1), (3, 1))
    assert taken_up(nine, OBJECTIVES) == ((0, 1), (2, 1), (3, 1))  # latencies that were not measured say nothing
    best = best_paused([replace(paused[1], number=6), *paused[2:]], ("score", "size"))
    assert best is not None
    assert best.number == 6


def test_the_furthest_is_finished_first() -> None:
    first = best_paused([trial(0, {0: 0.9}), trial(1, {0: 0.3, 1: 0.2}), trial(2, {0: 0.2, 1: 0.4})])
    assert first is not None
    assert first.number == 2
    assert best_paused([trial(0, {0: 0.5, 1: 0.5, TOP: 0.5})]) is None
