"""Values told from a log: against brute force on a world in which every action's reward is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from graftwork.tasks.metrics.off_policy import (
    Judged,
    doubly_robust,
    doubly_robust_rows,
    effective_share,
    inverse_propensity,
    self_normalised,
)

ACTIONS = 3


def world(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What each action brings in each row (N, K), the chance that each is logged (N, K), and a policy's choice (N,)."""
    draw = np.random.default_rng(seed)
    brings = draw.normal(size=(rows, ACTIONS)) + np.arange(ACTIONS)
    return brings, draw.dirichlet([2, 2, 2], rows), draw.integers(0, ACTIONS, rows)


def logs(brings: np.ndarray, chances: np.ndarray, chosen: np.ndarray, expected: np.ndarray, seed: int) -> Judged:
    """One log of that world."""
    at = np.arange(len(brings))
    action = (chances.cumsum(axis=1) > np.random.default_rng(seed).random(len(at))[:, None]).argmax(axis=1)
    return Judged(action, brings[at, action], chances[at, action], chosen, expected)


ALIKE = np.ones((1, 40))


@pytest.mark.parametrize("estimator", [inverse_propensity, doubly_robust])
def test_they_are_right_on_average_over_logs(estimator):
    brings, chances, chosen = world(40)
    wrong = np.full_like(brings, 7.0)
    truth = brings[np.arange(40), chosen].mean()
    found = [estimator(logs(brings, chances, chosen, wrong, seed))(ALIKE)[0] for seed in range(3000)]
    assert np.mean(found) == pytest.approx(truth, abs=4 * np.std(found) / np.sqrt(len(found)))


def test_normalised_weights_forgive_propensities_that_are_all_too_small():
    brings, chances, chosen = world(40)
    one = logs(brings, chances, chosen, np.zeros_like(brings), 3)
    small = replace(one, propensity=one.propensity / 3, normalised=True)
    right = replace(one, normalised=True)
    weights = np.random.default_rng(0).integers(0, 3, (5, 40)).astype(float)
    np.testing.assert_allclose(doubly_robust(small)(weights), doubly_robust(right)(weights))
    np.testing.assert_allclose(doubly_robust(right)(weights), self_normalised(one)(weights))
    assert doubly_robust_rows(small).mean() == pytest.approx(doubly_robust(small)(ALIKE)[0])


def test_right_expectations_leave_nothing_to_chance():
    brings, chances, chosen = world(40)
    one = logs(brings, chances, chosen, brings, 1)
    np.testing.assert_allclose(doubly_robust_rows(one), brings[np.arange(40), chosen])


def test_right_expectations_do_even_with_wrong_propensities():
    brings, chances, chosen = world(40)
    one = logs(brings, chances, chosen, brings, 1)
    wrong = Judged(one.action, one.reward, np.full(40, 0.9), chosen, brings)
    assert doubly_robust(wrong)(ALIKE)[0] == pytest.approx(brings[np.arange(40), chosen].mean())


def test_self_normalised_values_do_not_move_with_the_zero_of_the_rewards():
    brings, chances, chosen = world(40)
    plain = self_normalised(logs(brings, chances, chosen, brings, 2))(ALIKE)[0]
    moved = self_normalised(logs(brings + 100, chances, chosen, brings, 2))(ALIKE)[0]
    assert moved == pytest.approx(plain + 100)
    assert brings.min() <= plain <= brings.max()


def test_weights_are_clipped_and_those_of_other_actions_are_none():
    one = Judged(
        np.array([0, 0, 1]), np.ones(3), np.array([0.001, 0.5, 0.1]), np.array([0, 0, 0]), np.zeros((3, 2)), 50.0
    )
    np.testing.assert_allclose(one.weights, [50.0, 2.0, 0.0])


def test_a_policy_that_agrees_nowhere_is_told_by_expectations_alone():
    one = Judged(np.zeros(4, int), np.ones(4), np.full(4, 0.5), np.ones(4, int), np.full((4, 2), 0.25))
    weights = np.ones((1, 4))
    assert doubly_robust(one)(weights)[0] == 0.25
    assert (
        self_normalised(one)(weights)[0] == inverse_propensity(one)(weights)[0] == effective_share(one)(weights)[0] == 0
    )


def test_as_many_rows_count_as_agree_alike():
    one = Judged(np.array([0, 0, 1, 1]), np.ones(4), np.full(4, 0.3), np.zeros(4, int), np.zeros((4, 2)))
    assert effective_share(one)(np.ones((1, 4)))[0] == pytest.approx(0.5)
