"""Decisions by what answers cost, as users take them: in Python, `graft predict --costs`, `graft evaluate --costs`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import graftwork as gw
from command import graft
from graftwork.errors import DataError, UsageError
from graftwork.tasks.costs import CostMatrix, read_costs
from tiny import tiny_rows

ROWS = 160
CLASSES = ["animals", "food", "weather"]
RECIPE = gw.Recipe(base="gru:width=16,layers=1", techniques=(), training=gw.Training(steps=80, batch=16, lr=0.01))
COSTS = "true,animals,food,weather,(abstain)\nanimals,0,1,1,0.4\nfood,9,0,1,0.4\nweather,1,1,0,0.4\n"


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Each text is of two topics, and either may be its label, so that no model can be sure."""
    draw, rows = np.random.default_rng(0), tiny_rows(ROWS)
    pairs = [(*row, *rows[at]) for row, at in zip(rows, draw.permutation(ROWS).tolist(), strict=True)]
    picked = draw.random(ROWS) < 0.8
    topics = [first if pick else second for (_, first, _, second), pick in zip(pairs, picked, strict=True)]
    found = pd.DataFrame({"text": [f"{one} ; {other}" for one, _, other, _ in pairs], "topic": topics})
    return found.assign(price=draw.random(ROWS))


@pytest.fixture(scope="module")
def folder(table: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("model") / "m"
    rows = table[["text", "topic"]]
    return gw.fit(rows, target="topic", recipe=RECIPE).save(out)


@pytest.fixture
def costs(tmp_path: Path) -> Path:
    (tmp_path / "costs.csv").write_text(COSTS)
    return tmp_path / "costs.csv"


def by_hand(probabilities: np.ndarray) -> list[str | None]:
    """The choices of least expected cost, one by one."""
    matrix = [[0, 1, 1, 0.4], [9, 0, 1, 0.4], [1, 1, 0, 0.4]]
    found: list[str | None] = []
    for row in probabilities:
        expected = [sum(p * matrix[true][choice] for true, p in enumerate(row)) for choice in range(4)]
        found.append([*CLASSES, None][int(np.argmin(expected))])
    return found


def test_predict_gives_the_choices_of_least_expected_cost(folder: Path, table: pd.DataFrame, costs: Path) -> None:
    model, rows = gw.load(folder), table[["text"]]
    found = model.predict(rows, costs=costs)
    wanted = by_hand(np.asarray(model.predict_proba(rows)))
    assert [None if pd.isna(value) else value for value in found] == wanted
    assert None in wanted
    assert len(set(wanted)) > 2
    plain = model.predict(rows)
    assert list(plain) != list(found)
    same_costs = CostMatrix(tuple(CLASSES), 1 - np.eye(3))
    assert list(model.predict(rows, costs=same_costs)) == list(plain)
    assert list(model.predict(rows, costs={"topic": pd.read_csv(costs)})) == list(found)


def test_the_file_says_what_was_chosen_and_what_it_is_expected_to_cost(
    folder: Path, table: pd.DataFrame, costs: Path, tmp_path: Path
) -> None:
    rows = pd.concat([table[["text"]], pd.DataFrame({"text": [""]})], ignore_index=True)
    rows.to_csv(tmp_path / "new.csv", index=False)
    graft("predict", folder, tmp_path / "new.csv", "--costs", costs, "--proba", "--out", tmp_path / "p.parquet").works()
    found = pd.read_parquet(tmp_path / "p.parquet")
    order = ["text", "prediction", "confidence", "second_choice", "expected_cost", "reason"]
    assert list(found.columns)[:6] == order
    assert found[order[1:5]].iloc[-1].isna().all()
    assert found.reason.iloc[-1].startswith("text:")
    good = found.iloc[:-1]
    shares = good[[f"p({name})" for name in CLASSES]].to_numpy(np.float64)
    wanted = by_hand(shares)
    assert [None if pd.isna(value) else value for value in good.prediction] == wanted
    expected = shares @ read_costs(costs, CLASSES).costs
    assert good.expected_cost.to_numpy() == pytest.approx(expected.min(axis=1))
    for at, choice in enumerate(wanted):
        row = good.iloc[at]
        others = [name for name in CLASSES if name != choice]
        assert row.second_choice == min(others, key=lambda name: expected[at, CLASSES.index(name)])
        if choice is None:
            assert row.reason == "abstained"
            assert np.isnan(row.confidence)
        else:
            assert pd.isna(row.reason)
            assert row.confidence == pytest.approx(shares[at, CLASSES.index(choice)])


def test_evaluate_scores_both_on_the_same_rows(folder: Path, table: pd.DataFrame, costs: Path, tmp_path: Path) -> None:
    rows = table[["text", "topic"]]
    rows.to_csv(tmp_path / "test.csv", index=False)
    model = gw.load(folder)
    found = model.evaluate(rows, costs=costs).to_json()
    matrix = read_costs(costs, CLASSES).costs
    truth = [CLASSES.index(topic) for topic in table.topic]
    plain = [CLASSES.index(topic) for topic in model.predict(rows[["text"]])]
    choices = [[*CLASSES, None].index(value) for value in by_hand(np.asarray(model.predict_proba(rows[["text"]])))]
    assert found["mean_cost"]["value"] == pytest.approx(matrix[truth, plain].mean())
    assert found["bayes_cost"]["value"] == pytest.approx(matrix[truth, choices].mean())
    saved = found["cost_saved"]
    assert saved["value"] == pytest.approx((matrix[truth, plain] - matrix[truth, choices]).mean())
    assert saved["low"] < saved["value"] < saved["high"]
    printed = graft("evaluate", folder, tmp_path / "test.csv", "--costs", costs, "--json").works().out
    assert json.loads(printed)["cost_saved"] == pytest.approx(saved)
    shown = graft("evaluate", folder, tmp_path / "test.csv", "--costs", costs).works().out
    assert "Mean cost of Bayes decisions" in shown
    assert "mean_cost" not in model.evaluate(rows).to_json()


def test_of_several_targets_one_is_named(table: pd.DataFrame, costs: Path, tmp_path: Path) -> None:
    both = table.assign(again=table.topic)
    model = gw.fit(both, target=["topic", "price", "again"], inputs=["text"], recipe=RECIPE)
    rows = table[["text"]]
    with pytest.raises(UsageError, match=r"predicts topic, again. Say whose costs they are: TARGET=costs.csv"):
        model.predict(rows, costs=costs)
    with pytest.raises(UsageError, match=r"name 'topics', which is no target. Did you mean 'topic'"):
        model.predict(rows, costs={"topics": str(costs)})
    with pytest.raises(UsageError, match="one class a row; the task of 'price' is regression"):
        model.predict(rows, costs={"price": str(costs)})
    found = model.predict(rows, costs={"topic": str(costs)})
    assert [None if pd.isna(value) else value for value in found.topic] == by_hand(
        model.predict_proba(rows)["topic"].to_numpy()
    )
    assert list(found.again) == list(model.predict(rows).again)
    model.save(tmp_path / "m")
    rows.to_csv(tmp_path / "new.csv", index=False)
    named = ("--costs", f"topic={costs}", "--out", tmp_path / "p.csv")
    graft("predict", tmp_path / "m", tmp_path / "new.csv", *named).works()
    written = pd.read_csv(tmp_path / "p.csv")
    assert "expected_cost(topic)" in written.columns
    assert "expected_cost(again)" not in written.columns
    assert set(written.reason.dropna()) == {"abstained: topic"}


def test_weights_of_classes_are_part_of_the_calibrated_model(folder: Path, table: pd.DataFrame, tmp_path: Path) -> None:
    table[["text", "topic"]].to_csv(tmp_path / "more.csv", index=False)
    ran = graft("calibrate", folder, tmp_path / "more.csv", "--metric", "macro_f1", "--out", tmp_path / "c").works()
    assert "Predicted is the highest probability times a weight" in ran.out
    model, plain = gw.load(tmp_path / "c"), gw.load(folder)
    rows = table[["text"]]
    probabilities = np.asarray(model.predict_proba(rows))
    assert np.array_equal(probabilities, np.asarray(plain.predict_proba(rows)))
    weights = np.array(model.task.weights)  # type: ignore[attr-defined]
    assert list(model.predict(rows)) == [CLASSES[at] for at in (probabilities * weights).argmax(axis=1)]
    manifest = json.loads((tmp_path / "c" / "model.json").read_text())
    assert "weights" in json.dumps(manifest["tasks"])
    graft("predict", tmp_path / "c", tmp_path / "more.csv", "--out", tmp_path / "p.csv").works()
    written = pd.read_csv(tmp_path / "p.csv")
    at = [CLASSES.index(name) for name in written.prediction]
    assert written.confidence.to_numpy() == pytest.approx(probabilities[range(len(at)), at], abs=1e-5)


def test_what_does_not_fit_is_said(folder: Path, table: pd.DataFrame, costs: Path, tmp_path: Path) -> None:
    table[["text", "topic"]].to_csv(tmp_path / "test.csv", index=False)
    out = ("--out", tmp_path / "p.csv")
    costs.write_text(COSTS.replace("9,0,1", "9,,1"))
    words = r"costs.csv, row 2 \('food'\), column 'food': the cost is missing"
    graft("predict", folder, tmp_path / "test.csv", "--costs", costs, *out).fails(1, words)
    with pytest.raises(DataError, match=words):
        gw.load(folder).evaluate(table[["text", "topic"]], costs=costs)
    assert not (tmp_path / "p.csv").exists()
    graft("predict", folder, tmp_path / "test.csv", "--costs", "none.csv", *out).fails(1, "There is no file none.csv")
    costs.write_text(COSTS)
    both = ("--costs", costs, "--abstain", "0.1", *out)
    graft("predict", folder, tmp_path / "test.csv", *both).fails(2, "Leave one out; a column .abstain.")
    robust = ("--costs", costs, "--robust")
    graft("evaluate", folder, tmp_path / "test.csv", *robust).fails(2, "--costs is for the answers to all rows")
    other = CostMatrix(("animals", "food"), 1 - np.eye(2))
    with pytest.raises(UsageError, match="of the classes animals, food, and 'topic' has animals, food, weather"):
        gw.load(folder).predict(["cat"], costs=other)
