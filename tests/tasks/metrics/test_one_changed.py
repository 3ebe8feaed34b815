from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest

from graftwork.tasks.metrics.metric import Metric, OfSums
from graftwork.tasks.metrics.one_changed import one_changed
from graftwork.tasks.metrics.registry import METRICS
from graftwork.tasks.tokens.spans import span_f1, token_accuracy

CLASSES, ROWS, ANSWERS = 4, 9, 5


def brute_force(make: Any, truth: Any, held: Any, others: Any) -> tuple[float, np.ndarray]:
    """Each change by itself, all rows scored anew."""
    whole = np.ones((1, len(truth)))
    found = np.empty((len(others) // len(truth), len(truth)))
    for at in range(len(others)):
        given = held.copy() if isinstance(held, np.ndarray) else list(held)
        given[at % len(truth)] = others[at]
        found[divmod(at, len(truth))] = make(truth, given)(whole)[0]
    return float(make(truth, held)(whole)[0]), found


def drawn(kind: str, rows: int, draw: np.random.Generator) -> np.ndarray:
    if kind == "classes":
        return draw.integers(0, CLASSES, rows)
    return draw.integers(0, 2, (rows, CLASSES)) if kind == "sets" else draw.normal(size=rows)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        *(("classes", name) for name in ("accuracy", "macro_f1", "micro_f1", "balanced_accuracy", "mcc")),
        *(("sets", name) for name in ("subset_accuracy", "macro_f1", "micro_f1")),
        *(("numbers", name) for name in ("mae", "rmse", "r2", "spearman")),
    ],
)
def test_each_change_is_as_if_all_rows_were_scored_anew(kind: str, name: str):
    draw = np.random.default_rng(3)
    truth, held = drawn(kind, ROWS, draw), drawn(kind, ROWS, draw)
    others = drawn(kind, ROWS * ANSWERS, draw)
    make = METRICS[name].scorer
    base, found = one_changed(make, truth, held, others)
    expected = brute_force(make, truth, held, others)
    assert base == pytest.approx(expected[0])
    np.testing.assert_allclose(found, expected[1], rtol=1e-9, atol=1e-9)
    assert isinstance(make(truth, held), OfSums) == (name not in ("rmse", "r2", "spearman"))


def test_rows_that_are_there_often_count_as_often():
    draw = np.random.default_rng(5)
    truth, held, times = drawn("classes", 6, draw), drawn("classes", 6, draw), draw.integers(1, 4, 6)
    others = drawn("classes", 6 * 3, draw)
    base, found = one_changed(METRICS["macro_f1"].scorer, truth, held, others, times)
    every, first = np.repeat(np.arange(6), times), np.concatenate([[0], np.cumsum(times)[:-1]])
    repeated = np.concatenate([others.reshape(3, 6)[at][every] for at in range(3)])
    expected = one_changed(METRICS["macro_f1"].scorer, truth[every], held[every], repeated)
    assert base == pytest.approx(expected[0])
    np.testing.assert_allclose(found, expected[1][:, first])


@pytest.mark.parametrize("scorer", [span_f1, token_accuracy])
def test_rows_of_many_units_change_too(scorer: Any):
    draw = np.random.default_rng(7)
    truth = [np.concatenate([[0, 0], draw.integers(0, 5, 4)]) for _ in range(ROWS)]
    held = [draw.integers(0, 5, 4) for _ in range(ROWS)]
    others = [draw.integers(0, 5, 4) for _ in range(ROWS * 2)]
    make = partial(scorer, 2)
    base, found = one_changed(make, truth, held, others)
    expected = brute_force(make, truth, held, others)
    assert base == pytest.approx(expected[0])
    np.testing.assert_allclose(found, expected[1])


def test_more_changes_than_are_scored_at_once(monkeypatch: pytest.MonkeyPatch):
    draw = np.random.default_rng(9)
    truth, held = drawn("numbers", ROWS, draw), drawn("numbers", ROWS, draw)
    others = drawn("numbers", ROWS * ANSWERS, draw)
    whole = one_changed(METRICS["spearman"].scorer, truth, held, others)[1]
    monkeypatch.setattr("graftwork.tasks.metrics.one_changed._WEIGHTED", 1)
    np.testing.assert_allclose(one_changed(METRICS["spearman"].scorer, truth, held, others)[1], whole)


def test_a_metric_stays_a_function_of_weights():
    metric: Metric = METRICS["macro_f1"]
    truth, chosen = np.array([0, 1, 1]), np.array([0, 0, 1])
    assert metric(truth, chosen) == pytest.approx((2 / 3 + 2 / 3) / 2)
