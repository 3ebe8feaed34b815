"""graftwork.tasks.costs: what answers cost, and the choices that cost least."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from graftwork.errors import DataError
from graftwork.tasks.costs import ABSTAIN, CostMatrix, bayes, mean_cost, read_costs

CLASSES = ("ham", "spam", "7")


def table(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_rows_and_columns_come_in_any_order(tmp_path: Path) -> None:
    written = "true,(abstain),7.0,spam,ham\nspam,2,1,0,5\n7,2,0,-1.5,1\nham,2,1,20,0\n"
    found = read_costs(table(tmp_path / "costs.csv", written), CLASSES)
    assert found.choices == (*CLASSES, ABSTAIN)
    assert found.abstains
    assert found.costs.tolist() == [[0, 20, 1, 2], [5, 0, 1, 2], [1, -1.5, 0, 2]]


def test_decimal_commas_and_frames(tmp_path: Path) -> None:
    found = read_costs(table(tmp_path / "costs.csv", "true;ham;spam\nham;0;1,5\nspam;0,25;0\n"), ("ham", "spam"))
    assert found.costs.tolist() == [[0, 1.5], [0.25, 0]]
    assert not found.abstains
    frame = pd.DataFrame({"true": [1, 2], "1": [0.0, 3.0], "2": [1.0, 0.0]})
    assert read_costs(frame, ("1", "2")).costs.tolist() == [[0, 1], [3, 0]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("true,ham,spam\nham,0,1\nspam,1,0\n", "its header: there is no column for 7. Expected one for each of the 3"),
        ("true,ham,spam,7\nham,0,1,1\nspam,1,0,1\n", "column 'true': there is no row for 7"),
        ("true,ham,spam,7,span\nham,0,1,1,1\n", "its header: 'span' is no class of the model. Did you mean 'spam'?"),
        ("true,ham,spam,7\nham,0,1,1\neggs,0,1,1\n", "row 2: 'eggs' is no class of the model. Known: 7, ham, spam"),
        ("true,ham,spam,7\nham,0,1,1\n,0,1,1\n", "row 2: there is no class"),
        ("true,ham,spam,7\nham,0,1,1\nham,0,1,1\n", "there are two rows for 'ham'. Keep one"),
        ("true,ham,spam,7,7.0\nham,0,1,1,1\nspam,0,1,1,1\n7,0,0,0,0\n", "there are two columns for '7.0'"),
        ("true,ham,spam,7\nham,0,1,1\nspam,1,,1\n7,1,1,0\n", r"row 2 \('spam'\), column 'spam': the cost is missing"),
        ("true,ham,spam,7\nham,0,1,1\nspam,1,-,1\n7,1,1,0\n", r"row 2 \('spam'\), column 'spam': the cost is missing"),
        ("true,ham,spam,7\nham,0,1,1\nspam,1,0,dear\n7,1,1,0\n", "row 2 .*column '7': 'dear' is not a number"),
        ("true,ham,spam,7\nham,0,1,1\nspam,1,0,inf\n7,1,1,0\n", "row 2 .*column '7': 'inf' is not a number"),
        ("true,ham\nham,0\n", "has 2 columns. Expected the true class in the first, then a column for each choice"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(DataError, match=f"costs.csv.*{words}"):
        read_costs(table(tmp_path / "costs.csv", text), CLASSES)


def test_infinity_in_a_frame_and_a_missing_file(tmp_path: Path) -> None:
    frame = pd.DataFrame({"true": ["a", "b"], "a": [0.0, np.inf], "b": [1.0, 0.0]})
    with pytest.raises(DataError, match=r"row 2 \('b'\), column 'a': 'inf' is not finite"):
        read_costs(frame, ("a", "b"))
    with pytest.raises(DataError, match="There is no file"):
        read_costs(tmp_path / "none.csv", ("a", "b"))


def test_the_state_is_plain_data_and_checked() -> None:
    costs = CostMatrix(("a", "b"), np.array([[0.0, 2.0, 1.0], [3.0, 0.0, 1.0]]))
    again = CostMatrix.of_state(json.loads(json.dumps(costs.state())))
    assert again == costs
    assert hash(again) == hash(costs)
    for damaged in (
        {"costs": [[0, 1]]},
        {"costs": [[0, "x"], [1, 0]]},
        {"costs": [[0, np.nan], [1, 0]]},
        {"classes": "ab"},
    ):
        with pytest.raises((ValueError, TypeError)):
            CostMatrix.of_state(costs.state() | damaged)


@given(st.data(), st.integers(2, 5), st.booleans(), st.integers(1, 8))
def test_bayes_choices_cost_least_of_all(data: st.DataObject, classes: int, abstains: bool, rows: int) -> None:
    """Against every other choice, one row after the other."""
    numbers = st.floats(-10, 10, width=16)
    costs = CostMatrix(
        tuple(map(str, range(classes))), data.draw(arrays(np.float64, (classes, classes + abstains), elements=numbers))
    )
    drawn = data.draw(arrays(np.float64, (rows, classes), elements=st.floats(0.125, 1, width=16)))
    probabilities = drawn / drawn.sum(axis=1, keepdims=True)
    for row, choice in zip(probabilities, bayes(probabilities, costs), strict=True):
        expected = [
            sum(row[true] * costs.costs[true, at] for true in range(classes)) for at in range(classes + abstains)
        ]
        assert expected[choice] == pytest.approx(min(expected), abs=1e-9)


def test_costs_that_are_alike_choose_the_most_probable_class() -> None:
    probabilities = np.random.default_rng(0).dirichlet(np.ones(4), 50)
    assert (bayes(probabilities, CostMatrix(tuple("abcd"), 1 - np.eye(4))) == probabilities.argmax(axis=1)).all()


def test_the_mean_cost_is_that_of_the_table() -> None:
    costs = CostMatrix(("a", "b"), np.array([[0.0, 2.0, 0.5], [3.0, 0.0, 0.5]]))
    assert mean_cost(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 2]), costs) == (0 + 2 + 3 + 0.5) / 4
