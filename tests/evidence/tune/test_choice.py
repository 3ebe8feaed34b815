"""Which trial is kept, and what it is compared with."""

from __future__ import annotations

import json

import pytest

from evidence.tune.made_trials import drawn, trial
from graftwork.errors import UsageError
from graftwork.evidence.tune.choice import choose
from graftwork.evidence.tune.trials import Limits

SCORES = {0: 0.80, 1: 0.84, 2: 0.85, 3: 0.60}
TRIALS = [trial(number, score, techniques=("mixup",) * (number > 0)) for number, score in SCORES.items()]


def test_it_is_compared_with_the_runner_up_and_the_default() -> None:
    found = choose(TRIALS, drawn(SCORES, 0.01))
    assert (found.number, found.best, found.rule) == (2, 2, "best")
    assert (found.runner_up, found.default, found.why) == (1, 0, "")
    assert found.to_default is not None
    assert found.to_default.value == pytest.approx(0.05)
    assert (found.to_default.low, found.to_default.high) == pytest.approx((0.05 - 0.0196, 0.05 + 0.0196), abs=0.001)
    assert found.to_runner_up is not None
    assert found.to_runner_up.value == pytest.approx(0.01)


def test_where_the_default_stands_it_is_compared_with_the_best_score() -> None:
    found = choose(TRIALS, drawn(SCORES, 0.06))
    assert (found.number, found.best, found.rule, found.runner_up) == (0, 2, "default", 2)
    assert found.to_default is None
    assert found.to_runner_up is not None
    assert found.to_runner_up.value == pytest.approx(-0.05)


def test_of_the_same_score_the_plainest_is_best() -> None:
    same = [trial(1, 0.9, techniques=("ema",)), trial(2, 0.9)]
    assert choose(same, None).number == 2


def test_without_draws_the_best_score_is_kept_and_it_says_why() -> None:
    found = choose(TRIALS, None, why="the rows are not scored each by itself")
    assert (found.number, found.rule, found.why) == (2, "best", "the rows are not scored each by itself")
    assert found.to_default is None
    assert choose(TRIALS[:1], None).why == ""
    few = drawn(SCORES, 0.06)
    assert choose(TRIALS, type(few)(few.numbers, few.values, few.drawn[:9], few.left_out[:9], 400)).number == 2


def test_what_has_no_answers_is_not_chosen() -> None:
    assert choose([*TRIALS, trial(9, 0.99)], drawn(SCORES, 0.01)).number == 2


def test_only_finished_ones_are_chosen_unless_there_are_none() -> None:
    under_way = [trial(5, 0.99, state="paused"), trial(6, None, state="failed", failed="out of memory")]
    assert choose([*TRIALS, *under_way], drawn({**SCORES, 5: 0.99}, 0.001)).number == 2
    found = choose(under_way, None)
    assert (found.number, found.unfinished) == (5, True)


def test_a_score_that_is_no_number_is_none() -> None:
    assert choose([*TRIALS, trial(7, float("nan"))], drawn(SCORES, 0.001)).number == 2


def test_limits_are_kept_and_better_ones_beyond_them_are_named() -> None:
    costs = {0: 0.002, 1: 0.004, 2: 0.009, 3: 0.001}
    timed = [trial(number, score, latency=costs[number]) for number, score in SCORES.items()]
    found = choose(timed, drawn(SCORES, 0.005), Limits(latency=0.005))
    assert (found.number, found.beyond) == (1, (2,))


def test_a_default_beyond_the_limits_is_compared_with_but_does_not_stand() -> None:
    """What is left is the plainest within one standard error of the best."""
    timed = [trial(number, score, latency=0.009 if number == 0 else 0.002) for number, score in SCORES.items()]
    found = choose(timed, drawn(SCORES, 0.02), Limits(latency=0.005))
    assert (found.number, found.rule, found.default) == (2, "best", 0)
    lighter = [*timed, trial(4, 0.84, latency=0.002, parameters=11_000_000)]
    found = choose(lighter, drawn({**SCORES, 4: 0.84}, 0.02), Limits(latency=0.005))
    assert (found.number, found.best, found.rule) == (4, 2, "near")


def test_of_several_defaults_the_best_within_the_limits_is_compared_with() -> None:
    defaults = [trial(0, 0.90, latency=0.009, origin="default"), trial(1, 0.85, latency=0.002, origin="default")]
    scores = {0: 0.90, 1: 0.85}
    assert choose(defaults, drawn(scores, 0.02), Limits(latency=0.005)).default == 1
    assert choose(defaults, drawn(scores, 0.02), Limits(latency=0.001 + 0.009)).default == 0
    assert choose([defaults[0], trial(1, 0.85, latency=0.002)], drawn(scores, 0.02), Limits(latency=0.005)).default == 0


def test_what_was_not_measured_keeps_no_limit() -> None:
    some = [trial(0, 0.5, latency=0.001), trial(1, 0.9)]
    assert choose(some, None, Limits(latency=0.005)).number == 0
    with pytest.raises(UsageError, match="No trial was measured"):
        choose(some[1:], None, Limits(latency=0.005))


def test_one_under_way_is_kept_where_no_finished_one_keeps_the_limits() -> None:
    some = [trial(0, 0.9, latency=0.009), trial(1, 0.5, latency=0.002, state="paused"), trial(2, 0.8, state="paused")]
    found = choose(some, None, Limits(latency=0.005))
    assert (found.number, found.unfinished, found.beyond) == (1, True, (0, 2))
    assert choose([*some, trial(3, 0.4, latency=0.001)], None, Limits(latency=0.005)).number == 3


def test_limits_that_nothing_keeps_name_the_nearest() -> None:
    """By the limit that it is furthest beyond: 40 % rather than 80 %."""
    some = [
        trial(0, 0.9, latency=0.009, size=10_000_000, name="large"),
        trial(1, 0.5, latency=0.006, size=28_000_000, name="small"),
    ]
    with pytest.raises(UsageError, match=r"trial 1, 'small': 6.0 ms a row, 28 MB.*--latency 6ms --size 28MB"):
        choose(some, None, Limits(0.005, 20_000_000))


def test_nothing_to_choose_from_says_why() -> None:
    with pytest.raises(UsageError, match="No trial was run"):
        choose([], None)
    with pytest.raises(UsageError, match=r"None of 1 trial has a score.*out of memory"):
        choose([trial(0, None, state="failed", failed="out of memory")], None)


def test_it_is_plain_json() -> None:
    plain = choose(TRIALS, drawn(SCORES, 0.005)).to_json()
    assert json.loads(json.dumps(plain)) == plain
    assert plain["to_default"]["low"] == pytest.approx(0.04, abs=0.001)
