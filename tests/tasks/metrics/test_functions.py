"""graftwork.tasks.metrics.functions: Python functions as metrics, in recipes, fits and evaluations."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graftwork as gw
from graftwork.errors import UsageError
from graftwork.recipe import from_dict, from_yaml
from graftwork.tasks.metrics.functions import function_name
from graftwork.tasks.metrics.registry import metric_for, score
from graftwork.tasks.registry import TASKS
from tiny import tiny_rows

ROWS = [{"text": text, "label": label} for text, label in tiny_rows(120)]
RECIPE = gw.Recipe(base="gru:width=16", techniques=[], training=gw.Training(steps=20, batch=16, precision="fp32"))


def food_found(truth: np.ndarray, given: np.ndarray) -> float:
    """Share of the rows on food that are found."""
    return float(np.mean(given[truth == "food"] == "food"))


def test_a_fit_is_chosen_and_reported_by_a_function(tmp_path: Path) -> None:
    model = gw.fit(ROWS, target="label", recipe=replace(RECIPE, metric=food_found), out=tmp_path / "m", verbose=False)
    assert model.report is not None
    assert model.report.primary == "python:food_found"
    scored = next(iter(model.report.evaluations.values())).scores["python:food_found"]
    assert scored.low <= scored.value <= scored.high
    assert scored.display == "food_found"
    found = model.evaluate(ROWS).scores["python:food_found"]
    truth, given = np.array([row["label"] for row in ROWS]), model.predict([row["text"] for row in ROWS])
    assert found.value == pytest.approx(food_found(truth, given))
    assert "Share of the rows on food" in (tmp_path / "m" / "report.html").read_text()
    assert gw.load(tmp_path / "m").evaluate(ROWS).scores["python:food_found"].value == found.value


def test_a_recipe_keeps_the_name_and_says_so_where_the_function_is_not_known(tmp_path: Path) -> None:
    recipe = replace(RECIPE, metric=food_found)
    assert recipe.to_dict()["metric"] == "python:food_found"
    (tmp_path / "recipe.yaml").write_text(recipe.to_yaml())
    assert from_yaml(tmp_path / "recipe.yaml") == recipe
    elsewhere = from_dict({"metric": "python:gone"})
    with pytest.raises(UsageError, match=r"gw.Recipe\(metric=gone\)"):
        gw.fit(ROWS, target="label", recipe=elsewhere, verbose=False)


def test_two_functions_of_one_name_are_two() -> None:
    first, second = (lambda *_: 0.0), (lambda *_: 1.0)
    names = [function_name(one) for one in (first, second, first)]
    assert names[0] == names[2] != names[1]


def test_by_target() -> None:
    rows = [row | {"length": float(len(row["text"]))} for row in ROWS]

    def closeness(truth: np.ndarray, given: np.ndarray) -> float:
        return -float(np.abs(truth - given).mean())

    metrics = {"label": food_found, "length": closeness}
    model = gw.fit(rows, target=["label", "length"], recipe=replace(RECIPE, metric=metrics), verbose=False)
    found = model.evaluate(rows)
    assert found["length"].scores["python:closeness"].value < 0
    assert found["label"].scores["python:food_found"].value >= 0


@pytest.mark.parametrize(
    ("task", "targets", "truth", "kept", "expected"),
    [
        ("classification", ["a", "b", "a"], np.array([0, 1]), np.array([[0.9, 0.1], [0.9, 0.1]]),
         (["a", "b"], ["a", "a"])),
        ("classification", [1, 2, 1], np.array([0, 1]), np.array([[0.9, 0.1], [0.9, 0.1]]), ([1, 2], [1, 1])),
        ("multilabel", [["a"], ["b"], []], np.array([[1, 0], [0, 0]]), np.array([[0.9, 0.8], [0.1, 0.1]]),
         ([["a"], []], [["a", "b"], []])),
        ("regression", [1.0, 5.0, 3.0], np.array([1.0, 5.0]), np.array([2.0, 5.0]), ([1.0, 5.0], [2.0, 5.0])),
    ],
)  # fmt: skip
def test_it_gets_the_values_of_the_column(task: str, targets: Any, truth: Any, kept: Any, expected: Any) -> None:
    import pyarrow as pa

    seen = []

    def noted(true: np.ndarray, given: np.ndarray) -> float:
        seen.append((true.tolist(), given.tolist()))
        return 0.5

    learned = TASKS[task]().learn(pa.chunked_array([pa.array(targets)]), "test")
    name = function_name(noted)
    metric = metric_for(name, learned)
    assert metric.higher_is_better
    if task == "regression":
        assert metric(truth, kept) == 0.5
    else:
        assert score(learned, name, truth, kept) == 0.5
    assert seen == [expected]


def test_what_goes_wrong_in_it_is_said() -> None:
    def broken(*_: np.ndarray) -> float:
        raise ValueError("no such class")

    with pytest.raises(UsageError, match=r"'broken' failed on .* rows: ValueError: no such class"):
        gw.fit(ROWS, target="label", recipe=replace(RECIPE, metric=broken), verbose=False)
    with pytest.raises(UsageError, match="gave nan"):
        gw.fit(ROWS, target="label", recipe=replace(RECIPE, metric=lambda *_: float("nan")), verbose=False)
    with pytest.raises(UsageError, match="metric is 7"):
        gw.Recipe(metric=7)  # type: ignore[arg-type]


def test_a_task_without_answers_of_a_row_has_no_function() -> None:
    with pytest.raises(UsageError, match="has none"):
        metric_for(function_name(food_found), TASKS["retrieval"]())
