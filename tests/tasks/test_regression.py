"""Regression: standardised targets, predictions in the column's units, and cells that are no number."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch

import graftwork as gw
from graftwork.errors import DataError
from graftwork.evidence.evaluation import Evaluation
from graftwork.tasks.metrics.registry import score
from graftwork.tasks.regression import Regression
from heard import Ear

COLUMN = pa.chunked_array([[10.0, 20.0], [None, 60.0]])


def test_targets_are_standardised_and_predictions_are_not() -> None:
    task = Regression().learn(COLUMN, "train.csv")
    targets, labelled = task.encode(COLUMN, "train.csv", np.arange(4))
    assert labelled.tolist() == [True, True, False, True]
    assert targets.dtype == np.float32
    assert targets[labelled].mean() == pytest.approx(0, abs=1e-6)
    assert targets[labelled].std() == pytest.approx(1, rel=1e-6)
    assert targets[2] == 0
    again = Regression().with_state(json.loads(json.dumps(task.state())))
    units = again.in_units(targets[:, None])
    assert again.decode(units) == pytest.approx([10, 20, 30, 60], rel=1e-5)
    assert again.truth(targets) == pytest.approx([10, 20, 30, 60], rel=1e-5)
    assert score(again, "rmse", targets[labelled], units[labelled] + 2) == pytest.approx(2, rel=1e-5)


def test_large_numbers_keep_their_differences() -> None:
    column = pa.chunked_array([[1e9, 1e9 + 1, 1e9 + 2]])
    task = Regression().learn(column, "t")
    targets, _ = task.encode(column, "t", np.arange(3))
    assert task.truth(targets) == pytest.approx([1e9, 1e9 + 1, 1e9 + 2], abs=1e-3)


def test_numbers_as_text_are_read() -> None:
    task = Regression().learn(pa.chunked_array([[" 1.5", "2e1", ""]]), "t")
    assert task.mean == pytest.approx(10.75)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["1", "12 kg", "3", "x"], "no number in 2 rows: 11, 13; row 11 holds '12 kg'"),
        ([1.0, float("nan"), float("inf"), 2.0], "NaN or infinite in 2 rows: 11, 12"),
        ([5, 5, 5, 5], "all 4 targets are 5"),
        ([None, None, None, 1.0], "1 number"),
        ([[1.0], [2.0], [3.0], [4.0]], "holds list"),
    ],
)
def test_targets_that_are_no_numbers(values: list, message: str) -> None:
    column = pa.chunked_array([pa.array(values)])
    with pytest.raises(DataError, match=message):
        Regression().learn(column, "train.csv", np.arange(10, 14))


def test_loss_and_divergence() -> None:
    task, predictions = Regression(), torch.tensor([[1.0], [3.0]])
    assert task.loss(predictions, torch.tensor([0.0, 1.0])).tolist() == [1.0, 4.0]
    assert task.divergence(predictions, torch.tensor([[1.0], [1.0]])).tolist() == [0.0, 4.0]
    assert task.soften(torch.tensor([0.5])).tolist() == [0.5]


# --- the logarithm --------------------------------------------------------------------------------------------------
def column(values: Any) -> pa.ChunkedArray:
    return pa.chunked_array([np.asarray(values, np.float64)])


def learned(values: np.ndarray) -> Regression:
    return Regression().learn(column(values), "train.csv")


def prices(rows: int = 400, sigma: float = 1.2) -> np.ndarray:
    return np.exp(np.random.default_rng(0).normal(12.0, sigma, rows))


def test_a_skewed_target_is_learned_on_the_logarithm_and_comes_back_as_it_was() -> None:
    values = prices()
    task = learned(values)
    assert task.scale > 0
    assert "--task regression:log=false" in " ".join(task.reading)
    targets, _ = task.encode(column(values), "", np.arange(len(values)))
    assert abs(float(np.mean(((targets - targets.mean()) / targets.std()) ** 3))) < 0.5
    assert task.truth(targets) == pytest.approx(values, rel=1e-5)
    back = task.in_units(targets[:, None])
    assert task.predicted(back) == pytest.approx(values, rel=1e-5)
    again = Regression().with_state(task.state())
    assert np.array_equal(again.truth(targets), task.truth(targets))


def test_targets_of_0_and_below_keep_their_value_in_other_tables() -> None:
    task = learned(prices())
    values = np.array([0.0, -50_000.0, 1.0, 1e9])
    targets, present = task.encode(column(values), "", np.arange(4))
    assert present.all()
    assert task.truth(targets) == pytest.approx(values, rel=1e-4, abs=1.0)
    assert np.isfinite(task.in_units(np.array([[1e6], [-1e6]], np.float32))).all()


@pytest.mark.parametrize(
    "values",
    [np.random.default_rng(0).normal(50, 5, 200), np.arange(1.0, 300.0), prices()[:20], np.append(prices(), -1.0)],
    ids=["even", "uniform", "few", "negative"],
)
def test_other_targets_are_learned_as_they_are(values: np.ndarray) -> None:
    task = learned(values)
    assert (task.scale, task.reading) == (0.0, ())
    assert task.state() == {"mean": pytest.approx(values.mean()), "std": pytest.approx(values.std())}


def test_the_user_decides() -> None:
    assert Regression(log=False).learn(column(prices()), "").scale == 0.0
    named = Regression(log=True).learn(column(np.arange(1.0, 300.0)), "")
    assert named.scale == 0.5
    assert named.reading == ()
    with pytest.raises(DataError, match="log=true needs targets above 0, and the smallest is -1"):
        Regression(log=True).learn(column([-1.0, 2.0]), "")


def test_fit_says_it_and_the_absolute_error_is_smaller() -> None:
    draw = np.random.default_rng(1)
    x = draw.normal(size=(500, 2))
    table = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "price": np.exp(12 + x @ [1.0, 0.6] + draw.normal(0, 0.2, 500))})
    errors = {}
    for task in ("auto", "regression:log=false"):
        ear = Ear()
        recipe = gw.Recipe(task=task, techniques=(gw.Probe(),))
        model = gw.fit(table[:400], target="price", recipe=recipe, listener=ear)
        assert any("logarithm" in note for note in ear.notes) == (task == "auto")
        found = model.evaluate(table[400:])
        assert isinstance(found, Evaluation)
        assert next(iter(found.scores)) == "mae"
        errors[task] = found.scores["mae"].value
        assert model.report is not None
        assert model.report.primary == "mae"
    assert errors["auto"] < 0.8 * errors["regression:log=false"]
