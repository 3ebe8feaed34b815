"""graftwork.evidence.strange.two_tables: p-values against scipy, and their level under no difference."""

from __future__ import annotations

import numpy as np
import pytest

from graftwork.evidence.strange.two_tables import (
    counts_p,
    features_p,
    holm,
    more_p,
    numbers_p,
    squared_distances,
)


@pytest.mark.parametrize(("first", "second", "moved"), [(300, 200, 0.5), (1000, 40, 0.7), (2000, 2000, 0.15)])
def test_numbers_are_compared_as_scipy_does_and_never_sooner(first: int, second: int, moved: float) -> None:
    stats = pytest.importorskip("scipy.stats")
    draw = np.random.default_rng(0)
    one, other = draw.normal(size=first), draw.normal(size=second) + moved
    p, distance = numbers_p(one, other)
    oracle = stats.ks_2samp(one, other)
    assert distance == pytest.approx(oracle.statistic)
    assert oracle.pvalue <= p < 0.05


def test_missing_numbers_count() -> None:
    values = np.random.default_rng(0).normal(size=400)
    lacking = np.where(np.arange(400) < 120, -np.inf, values)
    assert numbers_p(values, lacking)[0] < 1e-3
    assert numbers_p(lacking, lacking[::-1])[0] == 1.0


def test_counts_agree_with_the_exact_table_test() -> None:
    stats = pytest.importorskip("scipy.stats")
    first, second = np.array([30, 12, 8, 0]), np.array([22, 20, 15, 0])
    oracle = stats.chi2_contingency(np.stack([first, second])[:, :3], correction=False)
    p, apart = counts_p(first, second)
    assert p == pytest.approx(oracle.pvalue, abs=0.02)
    assert apart == pytest.approx(np.abs(first / 50 - second / 57).sum() / 2)


def test_counts_that_are_far_apart_have_a_small_p_value_and_equal_ones_do_not() -> None:
    assert counts_p(np.array([500, 20]), np.array([100, 300]))[0] < 1e-20
    assert counts_p(np.array([500, 20]), np.array([500, 20]))[0] == 1.0
    assert counts_p(np.array([500, 0]), np.array([10, 0])) == (1.0, 0.0)


@pytest.mark.parametrize(("first", "of_first", "second", "of_second"), [(5, 100, 20, 90), (0, 50, 3, 30), (9, 9, 1, 9)])
def test_more_is_fishers_one_sided_test(first: int, of_first: int, second: int, of_second: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    table = [[second, of_second - second], [first, of_first - first]]
    expected = stats.fisher_exact(table, alternative="greater").pvalue
    assert more_p(first, of_first, second, of_second) == pytest.approx(expected)


def test_features_hold_their_level_and_see_a_shift() -> None:
    draw = np.random.default_rng(0)
    found = []
    for seed in range(60):
        rows = draw.normal(size=(90, 6)) ** 3
        found.append(features_p(rows[:50], rows[50:], seed)[0])
    assert np.mean(np.array(found) <= 0.1) <= 0.2
    assert 0.3 < np.mean(found) < 0.7
    assert features_p(rows[:50], rows[50:] + 1.5)[0] < 0.01


def test_features_of_rows_that_are_all_alike_do_not_differ() -> None:
    assert features_p(np.ones((20, 3)), np.ones((30, 3)))[0] == 1.0


def test_holm_by_hand() -> None:
    assert holm(np.array([0.01, 0.04, 0.03])).tolist() == pytest.approx([0.03, 0.06, 0.06])


def test_squared_distances_by_hand() -> None:
    assert squared_distances(np.array([[0.0, 0.0], [3.0, 4.0]]), np.array([[0.0, 0.0]])).tolist() == [[0.0], [25.0]]
