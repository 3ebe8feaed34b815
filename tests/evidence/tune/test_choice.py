"""Which trial is kept."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import pytest

from evidence.tune.made_trials import answers, judged, redone, scored, trial
from graftwork.errors import UsageError
from graftwork.evidence.scores.intervals import Interval
from graftwork.evidence.tune.choice import Compared, choose
from graftwork.evidence.tune.trials import Limits


def spread(half: float, values: Mapping[int, float]) -> Compared:
    """Every difference has the same interval about it at one standard error, twice that at 95 %."""

    def compared(first: int, second: int, level: float) -> Interval:
        value, wide = values[first] - values[second], half if level < 0.9 else 2 * half
        return Interval(value, value - wide, value + wide)

    return compared


SCORES = {0: 0.80, 1: 0.84, 2: 0.85, 3: 0.60}
TRIALS = [trial(number, score, techniques=("mixup",) * (number > 0)) for number, score in SCORES.items()]


def test_the_best_is_kept_where_it_is_better_by_more_than_noise() -> None:
    found = choose(TRIALS, spread(0.005, SCORES))
    assert (found.number, found.best, found.alike, found.plainer) == (2, 2, (2,), False)
    assert (found.runner_up, found.default) == (1, 0)
    assert found.to_default == Interval(0.85 - 0.80, 0.85 - 0.80 - 0.01, 0.85 - 0.80 + 0.01)
    assert found.to_runner_up is not None
    assert found.to_runner_up.value == pytest.approx(0.01)


def test_within_noise_the_plainest_is_kept() -> None:
    found = choose(TRIALS, spread(0.06, SCORES))
    assert (found.number, found.best, found.alike, found.plainer) == (0, 2, (0, 1, 2), True)
    assert (found.runner_up, found.to_default) == (2, None)


def test_plainest_is_fewest_parameters_first() -> None:
    small = [*TRIALS, trial(4, 0.845, parameters=11_000_000, techniques=("mixup", "ema"))]
    assert choose(small, spread(0.06, SCORES | {4: 0.845})).number == 4


def test_of_the_same_score_the_plainest_is_best() -> None:
    same = [trial(1, 0.9, techniques=("ema",)), trial(2, 0.9)]
    assert choose(same, lambda *_: None).number == 2


def test_without_intervals_the_best_score_is_kept_and_it_says_why() -> None:
    found = choose(TRIALS, lambda *_: None, why="the rows are not scored each by itself")
    assert (found.number, found.why) == (2, "the rows are not scored each by itself")
    assert choose(TRIALS[:1], lambda *_: None).why == ""


def test_only_finished_ones_are_chosen_unless_there_are_none() -> None:
    paused = [trial(5, 0.99, state="paused"), trial(6, None, state="failed", failed="out of memory")]
    assert choose([*TRIALS, *paused], spread(0.001, SCORES)).number == 2
    found = choose(paused, lambda *_: None)
    assert (found.number, found.unfinished) == (5, True)


def test_a_score_that_is_no_number_is_none() -> None:
    assert choose([*TRIALS, trial(7, float("nan"))], spread(0.001, SCORES)).number == 2


def test_limits_are_kept_and_better_ones_beyond_them_are_named() -> None:
    costs = {0: 0.002, 1: 0.004, 2: 0.009, 3: 0.001}
    timed = [trial(number, score, latency=costs[number]) for number, score in SCORES.items()]
    found = choose(timed, spread(0.005, SCORES), Limits(latency=0.005))
    assert (found.number, found.beyond) == (1, (2,))


def test_what_was_not_measured_keeps_no_limit() -> None:
    some = [trial(0, 0.5, latency=0.001), trial(1, 0.9)]
    assert choose(some, lambda *_: None, Limits(latency=0.005)).number == 0
    with pytest.raises(UsageError, match="No trial was measured"):
        choose(some[1:], lambda *_: None, Limits(latency=0.005))


def test_limits_that_nothing_keeps_name_the_nearest() -> None:
    """By the limit that it is furthest beyond: 40 % rather than 80 %."""
    some = [
        trial(0, 0.9, latency=0.009, size=10_000_000, name="large"),
        trial(1, 0.5, latency=0.006, size=28_000_000, name="small"),
    ]
    with pytest.raises(UsageError, match=r"trial 1, 'small': 6.0 ms a row, 28 MB.*--latency 6ms --size 28MB"):
        choose(some, lambda *_: None, Limits(0.005, 20_000_000))


def test_nothing_to_choose_from_says_why() -> None:
    with pytest.raises(UsageError, match="No trial was run"):
        choose([], lambda *_: None)
    with pytest.raises(UsageError, match=r"None of 1 trial has a score.*out of memory"):
        choose([trial(0, None, state="failed", failed="out of memory")], lambda *_: None)


def test_it_is_plain_json() -> None:
    plain = choose(TRIALS, spread(0.005, SCORES)).to_json()
    assert json.loads(json.dumps(plain)) == plain
    assert plain["to_default"]["low"] == pytest.approx(0.04)


def test_a_useless_technique_and_a_copy_of_a_base_are_seldom_chosen() -> None:
    """25 tunes of 20 useless trials each: 16 % of them at most would choose one, 3 standard errors allowed for."""
    random, wrong = np.random.default_rng(0), 0
    for tune in range(25):
        plain = answers(0.85, 300, random)
        given = {0: plain} | {at: redone(plain, 0.15, 0.85, random) for at in range(1, 21)}
        found = judged(given, draws=200, seed=tune)
        wrong += choose(scored(found), found.compared, alike=found.alike).number != 0
    assert wrong <= 25 * 0.16 + 3 * (25 * 0.16 * 0.84) ** 0.5
