"""What choosing among many adds to a score, where it is known."""

from __future__ import annotations

import json

import numpy as np
import pytest

from evidence.tune.made_trials import answers, judged, redone, scored
from graftwork.evidence.tune.choice import choose
from graftwork.evidence.tune.optimism import best, by_rule, optimism

ROWS, TUNES, RIGHT = 200, 40, 0.8


@pytest.mark.parametrize("others", [4, 25])
def test_the_estimate_is_near_the_truth_where_useless_ones_compete(others: int) -> None:
    """All are right as often, so all that the best score is above that is optimism; and nothing is gained."""
    random, true, estimated, gains = np.random.default_rng(others), [], [], []
    for tune in range(TUNES):
        plain = answers(RIGHT, ROWS, random)
        given = {0: plain} | {at: redone(plain, 0.4, RIGHT, random) for at in range(1, others + 1)}
        found = optimism(judged(given, draws=200, seed=tune), best, default=0)
        assert found is not None
        assert found.gain is not None
        true.append(max(float(one.mean()) for one in given.values()) - RIGHT)
        estimated.append(found.optimism)
        gains.append(found.gain.value)
    spread = 3 * (np.var(true) / TUNES + np.var(estimated) / TUNES) ** 0.5
    assert np.mean(true) > 0.01
    assert np.mean(estimated) == pytest.approx(np.mean(true), abs=spread)
    assert np.mean(gains) == pytest.approx(0.0, abs=0.006)


def test_intervals_for_new_rows_hold_the_truth_where_plain_ones_do_not() -> None:
    """Of the best of 20 that are right as often: 95 % is promised, and 60 tunes may miss it by 3 standard errors."""
    random, held, plainly = np.random.default_rng(12), 0, 0
    for tune in range(60):
        plain = answers(RIGHT, ROWS, random)
        given = {0: plain} | {at: redone(plain, 0.4, RIGHT, random) for at in range(1, 21)}
        made = judged(given, draws=200, seed=tune)
        found, kept = optimism(made, best), best(made.values)
        assert found is not None
        low, high = np.quantile(made.drawn[:, kept], [0.025, 0.975])
        held += found.expected.low <= RIGHT <= found.expected.high
        plainly += low <= RIGHT <= high
    assert held >= 60 * 0.95 - 3 * (60 * 0.95 * 0.05) ** 0.5
    assert plainly < 60 * 0.85


def test_it_is_that_of_a_loop_by_hand() -> None:
    random = np.random.default_rng(0)
    given = {at: answers(0.7, 60, random) for at in range(5)}
    found = optimism(judged(given, draws=100, seed=3), best, default=0)
    picked, expected, gained = np.random.default_rng(3).integers(60, size=(100, 60)), [], []
    for rows in picked:
        chosen = max(range(5), key=lambda at: given[at][rows].mean())
        left = np.setdiff1d(np.arange(60), rows)
        expected.append(given[chosen][left].mean())
        gained.append(expected[-1] - given[0][left].mean())
    assert found is not None
    assert found.gain is not None
    assert found.expected.value == pytest.approx(np.mean(expected))
    assert found.gain.value == pytest.approx(np.mean(gained))
    best_one = max(range(5), key=lambda at: given[at].mean())
    own = (given[best_one] - given[0])[picked].mean(axis=1)
    moved = np.mean(gained) - (given[best_one] - given[0]).mean()
    assert (found.gain.low, found.gain.high) == pytest.approx(np.quantile(own, [0.025, 0.975]) + moved)
    assert found.optimism == pytest.approx(max(one.mean() for one in given.values()) - np.mean(expected))
    assert (found.trials, found.rows) == (5, 60)


def test_the_rule_is_that_of_the_choice() -> None:
    random = np.random.default_rng(8)
    for tune in range(6):
        plain = answers(0.8, 150, random)
        given = {0: plain} | {at: redone(plain, 0.2, 0.85, random) for at in range(1, 12)}
        found = judged(given, draws=200, seed=tune)
        trials = scored(found)
        kept = choose(trials, found).number
        assert found.numbers[by_rule(found, trials[::-1])(found.values)] == kept


def test_where_one_is_better_by_far_it_is_picked_again_and_nothing_is_taken_off() -> None:
    random = np.random.default_rng(1)
    found = optimism(judged({0: answers(0.5, 400, random), 1: answers(0.9, 400, random)}), best, default=0)
    assert found is not None
    assert found.gain is not None
    assert found.again == 1.0
    assert found.optimism == pytest.approx(0.0, abs=0.005)
    assert found.gain.low > 0.25
    assert json.loads(json.dumps(found.to_json()))["gain"]["low"] == found.gain.low


def test_of_one_trial_there_is_nothing_to_say() -> None:
    random = np.random.default_rng(2)
    assert optimism(judged({0: answers(0.5, 40, random)}), best) is None
    two = optimism(judged({0: answers(0.5, 40, random), 1: answers(0.5, 40, random)}), best, default=7)
    assert two is not None
    assert two.gain is None
