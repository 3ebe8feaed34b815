"""Scores on draws of the judged rows, against a paired bootstrap by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score

from evidence.tune.made_trials import ACCURACY, ERROR, answers, judged, redone
from graftwork.evidence.tune.resampled import Judged, resampled
from graftwork.tasks.metrics.metric import Metric

RANDOM = np.random.default_rng(5)


def test_an_interval_is_that_of_a_paired_bootstrap_by_hand() -> None:
    one = answers(0.8, 300, RANDOM)
    other = redone(one, 0.3, 0.6, RANDOM)
    found = judged({3: one, 7: other}, draws=4000).compared(3, 7, 0.9)
    assert found is not None
    picked = np.random.default_rng(1).integers(300, size=(4000, 300))
    by_hand = one[picked].mean(axis=1) - other[picked].mean(axis=1)
    assert found.value == pytest.approx(one.mean() - other.mean())
    assert (found.low, found.high) == pytest.approx(np.quantile(by_hand, [0.05, 0.95]), abs=0.006)


def test_what_a_draw_left_out_is_scored_beside_it() -> None:
    """Of a metric that is no mean of rows, and against scikit-learn's, row by row."""
    truth, given = RANDOM.integers(2, size=40), RANDOM.integers(2, size=40)

    def scorer(weights: np.ndarray) -> np.ndarray:
        return np.array([f1_score(truth, given, sample_weight=one) for one in weights])

    metric = Metric("f1", lambda *_: scorer, "choices", True, "F1")
    found = resampled([Judged(metric, truth, {0: given})], 40, resamples=60, seed=9)
    picked = np.random.default_rng(9).integers(40, size=(60, 40))
    for at, rows in enumerate(picked):
        left = np.setdiff1d(np.arange(40), rows)
        assert found.drawn[at, 0] == pytest.approx(f1_score(truth[rows], given[rows]))
        assert found.left_out[at, 0] == pytest.approx(f1_score(truth[left], given[left]))


def test_less_is_better_of_an_error_and_several_targets_count_alike() -> None:
    truth = RANDOM.normal(size=30)
    given = {0: truth + 1.0, 1: truth + 3.0}
    labels = {0: np.ones(20), 1: np.ones(20)}
    places = np.arange(20) + 10
    found = resampled([Judged(ERROR, truth, given), Judged(ACCURACY, np.ones(20), labels, places)], 30)
    assert found.values == pytest.approx([(-1.0 + 1.0) / 2, (-3.0 + 1.0) / 2])
    gap = found.compared(0, 1)
    assert gap is not None
    assert (gap.low, gap.value, gap.high) == pytest.approx((1.0, 1.0, 1.0))


def test_rows_of_one_unit_are_drawn_together() -> None:
    """Ten photos of each of 30 people tell as much as 30 photos."""
    people, other = answers(0.7, 30, RANDOM), answers(0.6, 30, RANDOM)
    whole = np.repeat(np.arange(30), 10)
    target = Judged(ACCURACY, np.ones(300), {0: people[whole], 1: other[whole]})
    together = resampled([target], 300, units=whole, resamples=1000).compared(0, 1)
    alone = judged({0: people, 1: other}, draws=1000).compared(0, 1)
    apart = resampled([target], 300, resamples=1000).compared(0, 1)
    assert together
    assert alone
    assert apart
    assert together.high - together.low == pytest.approx(alone.high - alone.low, rel=0.15)
    assert apart.high - apart.low < 0.5 * (together.high - together.low)


def test_nothing_is_said_of_what_is_not_known() -> None:
    found = judged({0: answers(0.5, 50, RANDOM), 1: answers(0.5, 50, RANDOM)})
    assert found.compared(0, 5) is None
    assert resampled([], 50).compared(0, 1) is None
    never = Metric("never", lambda *_: lambda weights: np.full(len(weights), np.nan), "choices", True, "Never")
    unknown = resampled([Judged(never, np.ones(9), {0: np.ones(9), 1: np.ones(9)})], 9)
    assert unknown.compared(0, 1) is None


def test_a_trial_without_answers_for_a_target_is_left_out() -> None:
    every = {0: np.ones(10), 1: np.ones(10)}
    found = resampled([Judged(ACCURACY, np.ones(10), every), Judged(ACCURACY, np.ones(10), {1: np.ones(10)})], 10)
    assert found.numbers == (1,)
