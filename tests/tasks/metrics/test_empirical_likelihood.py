"""Intervals by empirical likelihood: against brute force over all distributions, the normal one, and known truths."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import chi2

from graftwork.evidence.scores.intervals import bootstrap, difference
from graftwork.tasks.bandit import Bandit
from graftwork.tasks.learned import with_learned
from graftwork.tasks.logs.logged import Logged
from graftwork.tasks.logs.policies import policy_sections
from graftwork.tasks.metrics.empirical_likelihood import likelihood_interval
from graftwork.tasks.metrics.off_policy import Judged, doubly_robust_interval, doubly_robust_rows


def small_log(seed: int, rows: int = 12) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights and values (N,), and the corners of what could be, of a log of 0 and 1."""
    draw = np.random.default_rng(seed)
    propensity, expected = draw.choice([0.1, 0.3, 0.6], rows), draw.uniform(0.2, 0.8, rows)
    weights = np.where(draw.random(rows) < propensity * 1.3, 1 / propensity, 0.0)
    values = expected + weights * ((draw.random(rows) < 0.6) - expected)
    least, most = expected.min(), expected.max()
    return weights, values, np.array([[0, least], [0, most], [10, -9 * most], [10, 10 - 9 * least]])


def brute_force(weights: np.ndarray, values: np.ndarray, corners: np.ndarray, level: float) -> list[float]:
    """The least and the greatest mean, searched among the masses of all rows and corners."""
    rows, both = len(weights), np.concatenate([np.stack([weights, values], axis=1), corners])
    bounds = [(1e-9, 1.0)] * rows + [(0.0, 1.0)] * len(corners)
    right = [
        {"type": "eq", "fun": lambda q: q.sum() - 1, "jac": np.ones_like},
        {"type": "eq", "fun": lambda q: q @ both[:, 0] - 1, "jac": lambda _: both[:, 0]},
    ]

    def unlike(q: np.ndarray) -> float:
        return float(-np.log(rows * q[:rows]).sum())

    def slope(q: np.ndarray) -> np.ndarray:
        return np.concatenate([-1 / q[:rows], np.zeros(len(corners))])

    settings = {"bounds": bounds, "method": "SLSQP", "options": {"maxiter": 1000, "ftol": 1e-12}}
    best = minimize(unlike, np.full(len(both), 1 / len(both)), jac=slope, constraints=right, **settings)
    most = best.fun + chi2.ppf(level, 1) / 2
    near = {"type": "ineq", "fun": lambda q: most - unlike(q), "jac": lambda q: -slope(q)}
    ends = []
    for sign in (1.0, -1.0):
        aim = sign * both[:, 1]
        found = minimize(
            lambda q, aim=aim: q @ aim, best.x, jac=lambda _, aim=aim: aim, constraints=[*right, near], **settings
        )
        assert abs(found.x.sum() - 1) + abs(found.x @ both[:, 0] - 1) < 1e-6
        assert unlike(found.x) < most + 1e-6
        ends.append(sign * found.fun)
    return ends


@pytest.mark.parametrize("level", [0.8, 0.95])
@pytest.mark.parametrize("seed", range(3))
def test_it_is_what_brute_force_finds(seed: int, level: float) -> None:
    weights, values, corners = small_log(seed)
    found = likelihood_interval(weights, values, corners, level)
    assert found == pytest.approx(brute_force(weights, values, corners, level), abs=1e-4)


def test_rows_alone_are_enough_where_all_weights_are_one() -> None:
    """The mean of numbers, and corners too far to matter in so many rows: the normal interval."""
    values = np.random.default_rng(0).normal(size=4000)
    found = likelihood_interval(
        np.ones(4000), values, np.array([[0.0, 0.0], [1.0, values.min()], [1.0, values.max()]]), 0.95
    )
    apart = 1.96 * values.std() / np.sqrt(4000)
    assert found == pytest.approx([values.mean() - apart, values.mean() + apart], abs=0.05 * apart)


def test_weights_that_can_not_be_one_on_average_tell_nothing() -> None:
    corners = np.array([[0.0, 0.0], [1.0, 1.0]])
    assert likelihood_interval(np.array([0.0, 1.0]), np.array([0.2, 1.0]), corners, 0.95) == (-np.inf, np.inf)


def logged(rows: int, draw: np.random.Generator, chances: np.ndarray, right: np.ndarray) -> tuple[Judged, float]:
    """A log of one policy by another one, with actions of these chances (K,), and what the policy is worth in truth:
    action 0 is chosen where a guess that is right so often (K,) says so."""
    truth = draw.choice(len(chances), rows)
    chosen = np.where(draw.random(rows) < right[truth], truth, draw.integers(len(chances), size=rows))
    action = draw.choice(len(chances), rows, p=chances)
    expected = np.tile(draw.uniform(0.6, 0.9, (rows, 1)), len(chances))
    found = Judged(action, (action == truth).astype(float), chances[action], chosen, expected, 1000.0)
    return found, float((chosen == truth).mean())


def test_a_large_log_of_varied_choices_has_the_normal_interval() -> None:
    draw = np.random.default_rng(1)
    judged, _ = logged(40_000, draw, np.full(3, 1 / 3), np.full(3, 0.7))
    weights, rows = judged.weights, doubly_robust_rows(judged)
    slope = np.cov(weights, rows)[0, 1] / weights.var()
    left = rows - slope * (weights - 1)
    apart = 1.96 * left.std() / np.sqrt(len(rows))
    found = doubly_robust_interval(judged, 0.95)
    assert found == pytest.approx([left.mean() - apart, left.mean() + apart], abs=0.1 * apart)


def test_it_holds_the_truth_of_skewed_logs_in_which_a_bootstrap_misses_it() -> None:
    draw = np.random.default_rng(2)
    chances = np.array([0.9, *[0.1 / 9] * 9])
    held = missed = 0
    for _ in range(60):
        judged, truth = logged(400, draw, chances, np.full(10, 0.9))
        low, high = doubly_robust_interval(judged, 0.95) or (0.0, 0.0)
        assert low <= doubly_robust_rows(judged).mean() <= high
        held += low <= truth <= high
        means = doubly_robust_rows(judged)[draw.integers(0, 400, (400, 400))].mean(axis=1)
        missed += not np.quantile(means, 0.025) <= truth <= np.quantile(means, 0.975)
    assert held >= 0.88 * 60
    assert missed > 60 - held


def test_a_log_that_never_agrees_says_only_that_it_is_a_reward() -> None:
    judged, _ = logged(50, np.random.default_rng(3), np.full(4, 0.25), np.full(4, 0.8))
    never = replace(judged, chosen=(judged.action + 1) % 4)
    assert doubly_robust_interval(never, 0.95) == (0.0, 1.0)
    few = replace(never, **{name: getattr(never, name)[:8] for name in ("action", "reward", "chosen", "expected")})
    low, high = doubly_robust_interval(replace(few, propensity=few.propensity[:8] / 10), 0.95) or (9.0, 9.0)
    assert low < 0.1
    assert high > 0.9


def test_rounded_propensities_do_no_harm() -> None:
    """The mean weight of a large log is surely not 1 then, and still the interval is about as it would be."""
    judged, _ = logged(40_000, np.random.default_rng(6), np.full(3, 1 / 3), np.full(3, 0.7))
    low, high = doubly_robust_interval(judged, 0.95) or (9.0, 9.0)
    rounded = doubly_robust_interval(replace(judged, propensity=np.full(40_000, 0.3)), 0.95) or (9.0, 9.0)
    assert rounded == pytest.approx((low, high), abs=0.03)


@pytest.mark.parametrize("chosen", [0, 1])
def test_one_row_and_rewards_that_are_all_alike(chosen: int) -> None:
    one = Judged(np.zeros(1, int), np.ones(1), np.full(1, 0.5), np.full(1, chosen), np.full((1, 2), 0.5))
    low, high = doubly_robust_interval(one, 0.95) or (9.0, 9.0)
    assert low <= doubly_robust_rows(one).mean() <= high
    assert low < 0.9
    sure = Judged(np.zeros(5, int), np.ones(5), np.full(5, 0.5), np.full(5, chosen), np.ones((5, 2)))
    assert doubly_robust_interval(sure, 0.95) == (1.0, 1.0)


def test_choices_that_were_never_logged_where_others_always_were() -> None:
    """Propensities of 1, and a policy that differs: nothing is known but the range of the rewards."""
    judged = Judged(np.zeros(6, int), np.arange(6.0), np.ones(6), np.arange(6) % 2, np.full((6, 2), 2.5))
    assert doubly_robust_interval(judged, 0.95) == (0.0, 5.0)


def test_it_moves_with_the_scale_and_the_zero_of_the_rewards() -> None:
    judged, _ = logged(200, np.random.default_rng(4), np.array([0.6, 0.3, 0.1]), np.full(3, 0.7))
    moved = replace(judged, reward=1000 * judged.reward - 300, expected=1000 * judged.expected - 300)
    found = np.array(doubly_robust_interval(judged, 0.95))
    np.testing.assert_allclose(doubly_robust_interval(moved, 0.95), 1000 * found - 300, atol=0.05)


# --- in scores ---------------------------------------------------------------------------------------------------
def scored(task: Bandit, rows: int = 120) -> tuple[np.ndarray, np.ndarray]:
    """Truth (N, 3), and what the task keeps."""
    draw = np.random.default_rng(5)
    parts = 2 if task.log.propensity else 3
    kept = draw.dirichlet([1, 1, 1], (rows, parts)).reshape(rows, -1).astype(np.float32)
    action = draw.integers(0, 3, rows)
    return np.stack([action, draw.random(rows) < 0.5, np.full(rows, 1 / 3)], axis=1).astype(float), kept


def test_the_value_of_a_policy_has_it_and_all_else_is_as_before() -> None:
    task = with_learned(Bandit(), log=Logged(propensity="chance", supported=(1.0, 1.0, 1.0)))
    truth, kept = scored(task)
    metrics = task.metrics()
    found = bootstrap(truth, [(one, kept) for one in metrics.values()])
    plain = bootstrap(truth, [(replace(one, interval=None), kept) for one in metrics.values()])
    value = found["policy_value"]
    assert (value.low, value.high) == doubly_robust_interval(task.judged(truth, kept), 0.95)
    assert (value.low, value.high) != (plain["policy_value"].low, plain["policy_value"].high)
    assert value.value == plain["policy_value"].value
    assert {name: one.to_json() for name, one in found.items() if name != "policy_value"} == {
        name: one.to_json() for name, one in plain.items() if name != "policy_value"
    }
    narrower = bootstrap(truth, [(metrics["policy_value"], kept)], level=0.5)["policy_value"]
    assert value.low < narrower.low < narrower.high < value.high
    units, one = np.arange(len(truth)) // 2, [(metrics["policy_value"], kept)]
    without = [(replace(metrics["policy_value"], interval=None), kept)]
    assert bootstrap(truth, one, units=units) == bootstrap(truth, without, units=units)
    assert difference(*one[0][:1], truth, kept, kept[::-1]) == difference(without[0][0], truth, kept, kept[::-1])
    shown = policy_sections(task.judged(truth, kept), ("a", "b", "c"), task.log)[0].grid
    assert shown is not None
    assert shown.rows[0][1] == f"{value.value:.3g} ({value.low:.3g} to {value.high:.3g})"


def test_estimated_propensities_keep_the_bootstrap() -> None:
    task = with_learned(Bandit(), log=Logged(propensity=""))
    truth, kept = scored(task)
    metric = task.metrics()["policy_value"]
    assert doubly_robust_interval(task.judged(truth, kept), 0.95) is None
    assert bootstrap(truth, [(metric, kept)]) == bootstrap(truth, [(replace(metric, interval=None), kept)])
