"""Regression: standardised targets, predictions in the column's units, and cells that are no number."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
import torch

from graftwork.errors import DataError
from graftwork.tasks.metrics import score
from graftwork.tasks.regression import Regression

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
    units = again.probabilities(torch.from_numpy(targets[:, None])).numpy()
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
