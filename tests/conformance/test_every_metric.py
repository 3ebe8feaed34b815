"""What a metric promises (`tasks/metrics/metric.py`), held for every metric, against references of other making."""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.metrics import ALL, Row
from graftwork.evidence.scores.intervals import bootstrap
from graftwork.tasks.metrics.registry import METRICS
from graftwork.tasks.registry import TASKS

every = pytest.mark.parametrize("row", ALL, ids=[f"{row.metric.name}-{at}" for at, row in enumerate(ALL)])


def test_every_metric_has_a_row() -> None:
    """Those in the files of metrics, and those that a task binds to its settings."""
    bound = {name for task in TASKS.own.values() for name in task().metrics()}
    assert {row.metric.name for row in ALL} == set(METRICS.own) | bound


def drawn(row: Row, seed: int, rows: int) -> tuple[np.ndarray, Any]:
    truth, compared = row.kind.draw(np.random.default_rng(seed), rows)
    return truth, row.kind.given(row.metric, compared)


def expected(row: Row, truth: np.ndarray, values: Any, weights: np.ndarray) -> float:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="sklearn")
        return row.reference(truth, values, weights)


@every
@settings(max_examples=20, deadline=None)
@given(
    st.integers(0, 2**31),
    st.lists(st.integers(0, 3), min_size=1, max_size=24).filter(any),
)
def test_it_is_what_the_reference_says_of_weighted_rows(row: Row, seed: int, times: list[int]) -> None:
    """A row of weight 3 counts as three rows, one of weight 0 as none, also where that takes a class away whole."""
    truth, values = drawn(row, seed, len(times))
    weights = np.array(times, dtype=float)
    if row.kind.together:
        weights = weights[truth % len(times)]
        if not weights.any():
            return
    scorer = row.metric.scorer(truth, values)
    assert scorer(weights[None])[0] == pytest.approx(expected(row, truth, values, weights), abs=1e-6, nan_ok=True)
    alike = np.ones(len(truth))
    assert row.metric(truth, values) == pytest.approx(expected(row, truth, values, alike), abs=1e-6, nan_ok=True)


@every
def test_many_weightings_at_once_are_each_by_itself(row: Row) -> None:
    truth, values = drawn(row, 5, 40)
    weights = np.random.default_rng(6).integers(0, 4, size=(7, 40)).astype(float)
    if row.kind.together:
        weights = weights[:, truth]
    scorer = row.metric.scorer(truth, values)
    together = scorer(weights)
    assert together.shape == (7,)
    assert together == pytest.approx([float(scorer(each[None])[0]) for each in weights], abs=1e-12)
    assert scorer(3 * weights) == pytest.approx(together, abs=1e-12) or row.kind.together


@every
def test_right_answers_give_the_best_score(row: Row) -> None:
    truth, _ = row.kind.draw(np.random.default_rng(1), 40)
    perfect = row.kind.given(row.metric, row.kind.perfect(truth))
    assert row.metric(truth, perfect) == pytest.approx(row.best, abs=1e-9)
    sign = 1 if row.metric.higher_is_better else -1
    for seed in range(5):
        truth, values = drawn(row, seed, 40)
        assert sign * row.metric(truth, values) <= sign * row.best + 1e-9


@every
def test_more_mistakes_make_it_worse(row: Row) -> None:
    """In the direction that `higher_is_better` says: wrong answers are put in for right ones."""
    truth, _ = row.kind.draw(np.random.default_rng(2), 60)
    right = row.kind.perfect(truth)
    wrong = row.kind.wrong(truth) if row.kind.wrong else right[np.roll(np.arange(60), 7)]
    found = []
    for share in (0.0, 0.4, 0.9):
        some = right.copy()
        some[: round(60 * share)] = wrong[: round(60 * share)]
        found.append(row.metric(truth, row.kind.given(row.metric, some)) * (1 if row.metric.higher_is_better else -1))
    assert found[0] >= found[1] >= found[2]
    assert found[0] > found[2]


@every
def test_it_reads_well(row: Row) -> None:
    metric = row.metric
    assert metric.display
    assert metric.display[0].isupper()
    for value in (row.best, 0.5, 0.031):
        shown = metric.text(value)
        assert re.fullmatch(r"-?[\d,]+(\.\d+)?( %)?", shown), shown
        assert shown.endswith(" %") == (metric.unit == "percent")
    truth, values = drawn(row, 3, 40)
    if metric.unit == "percent":
        assert 0 <= metric(truth, values) <= 1


@every
def test_it_has_an_interval(row: Row) -> None:
    truth, values = drawn(row, 4, 40)
    units = truth if row.kind.together else None
    score = bootstrap(truth, [(row.metric, values)], resamples=60, units=units)[row.metric.name]
    assert score.low <= score.value <= score.high
    assert score.low < score.high
