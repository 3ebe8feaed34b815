"""Numbers in the forms that tables have: read, said, and read alike in later tables, through `gw.fit` and `graft`."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import graftwork as gw
from command import graft
from graftwork.data.load import load, load_like
from graftwork.errors import DataError, UsageError

AMOUNTS = [int(value) for value in np.random.default_rng(0).integers(500, 40_000, 120)]
FORMS: dict[str, Callable[[int], str]] = {
    "plain": str,
    "no-break space": lambda value: f"{value:,}".replace(",", "\u00a0"),
    "narrow no-break space": lambda value: f"{value:,}".replace(",", "\u202f"),
    "typographic minus": lambda value: f"\u2212{value}",
    "parentheses": lambda value: f"({value})" if value % 3 else str(-value),
    "rupees": lambda value: f"₹{value:,}",
    "spreadsheet": lambda value: f'="{value}"',
    "francs": lambda value: f"CHF {value}",
    "commas": lambda value: f"{value:,}",
    "euros": lambda value: f"{value:,}.50 €".translate(str.maketrans(",.", ".,")),
    "weights": lambda value: f"{value / 1000:.3f} kg",
    "percent": lambda value: f"{value / 400:.2f}%",
}


def _table(path: Path, form: Callable[[int], str], amounts: list[int]) -> Path:
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["amount", "age", "y"])
        writer.writerows([form(value), 20 + value % 7, 3 * abs(value) / 1000] for value in amounts)
    return path


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_an_amount_is_learned_from_in_whatever_form_it_is_written(form: Callable[[int], str], tmp_path: Path) -> None:
    train, test = _table(tmp_path / "a.csv", form, AMOUNTS[:90]), _table(tmp_path / "b.csv", form, AMOUNTS[90:])
    model = gw.fit(train, target="y", recipe=gw.Recipe(techniques=["probe"]))
    assert [(column.name, column.kind) for column in model.schema.inputs] == [("amount", "number"), ("age", "number")]
    assert model.evaluate(test).scores["r2"].value > 0.99
    gw.load(model.save(tmp_path / "m"))
    again = gw.load(tmp_path / "m")
    assert again.schema == model.schema
    assert np.array_equal(again.predict(test), model.predict(test))


def test_the_reading_is_said_once(tmp_path: Path) -> None:
    table = _table(tmp_path / "a.csv", lambda value: f"{value:,}.50 €".translate(str.maketrans(",.", " ,")), AMOUNTS)
    said = graft("plan", table, "--target", "y", "--with", "probe").works().err
    assert said.count("numbers written as") == 1
    assert "(decimal comma, spaces between thousands, EUR)" in said


def test_what_can_be_read_in_two_ways_is_asked_back(tmp_path: Path) -> None:
    table = _table(tmp_path / "a.csv", lambda value: f"{1 + value % 900},{100 + value % 899}", AMOUNTS)
    graft("plan", table, "--target", "y", "--with", "probe").fails(1, "amount=number:point", "amount=number:comma")
    with pytest.raises(DataError, match="whose comma may stand between thousands or be a decimal comma"):
        load(table, target="y")
    commas = load(table, target="y", kinds={"amount": "number:comma"}).table.values("amount")
    points = load(table, target="y", kinds={"amount": "number:point"}).table.values("amount")
    assert points == pytest.approx([1000 * value for value in commas])
    assert commas[0] == float(f"{1 + AMOUNTS[0] % 900}.{100 + AMOUNTS[0] % 899}")
    with pytest.raises(UsageError, match="no such kind of column"):
        load(table, target="y", kinds={"amount": "number:dot"})


def test_other_columns_tell_which_sign_is_which() -> None:
    rows = {"a": ["1,234", "5,678"] * 10, "b": ["0,5", "12,75"] * 10, "y": ["u", "v"] * 10}
    assert load(rows, target="y").table.values("a")[:2] == [1.234, 5.678]
    rows["b"] = ["10,000.5", "12,000.75"] * 10
    assert load(rows, target="y").table.values("a")[:2] == [1234.0, 5678.0]
    rows = {"a": ["1.234", "5.678"] * 10, "b": ["0,5", "12,75"] * 10, "y": ["u", "v"] * 10}
    assert load(rows, target="y").table.values("a")[:2] == [1234.0, 5678.0]


def _trained(values: list[str]) -> gw.Model:
    frame = pd.DataFrame({"x": values, "y": [float(at) for at in range(len(values))]})
    return gw.fit(frame, target="y", recipe=gw.Recipe(techniques=["probe"]))


def test_a_later_table_is_read_by_the_form_of_training_or_by_its_own_evidence() -> None:
    schema = load({"x": [f"{at},5" for at in range(30)], "y": ["u", "v"] * 15}, target="y").table.schema
    assert schema.inputs[0].form == "1234,5"

    def read(*values: str) -> tuple[list[float | None], list[str], list[str]]:
        loaded = load_like({"x": list(values)}, schema, with_target=False, on_bad_rows="keep")
        return loaded.table.values("x"), loaded.notes, [bad.reason for bad in loaded.bad]

    assert read("1,234") == ([1.234], [], [])
    values, notes, bad = read("1,234.5", "2.25")
    assert (values, bad) == ([1234.5, 2.25], [])
    assert "not as in the training table" in notes[0]
    values, notes, bad = read("1,5", "2.0.1")
    assert (values, notes) == ([1.5, None], [])
    assert "not written as the other numbers" in bad[0]


def test_units_are_not_taken_for_one_another() -> None:
    schema = load({"x": [f"{at} kg" for at in range(30)], "y": ["u", "v"] * 15}, target="y").table.schema

    def bad(*values: str) -> list[str]:
        return [one.reason for one in load_like({"x": values}, schema, with_target=False, on_bad_rows="keep").bad]

    assert bad("3 kg", "4") == ["'4' has no unit, where others are in kg"]
    assert bad("3", "4") == []
    assert bad("3 g", "4 g") == [f"'{value} g' is in g, where others are in kg" for value in (3, 4)]
    share = load({"x": [f"{at}%" for at in range(30)], "y": ["u", "v"] * 15}, target="y").table.schema
    found = load_like({"x": ["0.5"]}, share, with_target=False, on_bad_rows="keep").bad
    assert [one.reason for one in found] == ["'0.5' has no unit, where others are in %"]
    mixed = {"x": [f"{at} {'EUR' if at % 2 else 'USD'}" for at in range(30)], "y": ["u", "v"] * 15}
    with pytest.raises(DataError, match=r"is in (USD|EUR), where others are in (USD|EUR)"):
        load(mixed, target="y")


def test_targets_with_units_are_predicted_as_plain_numbers(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(
            [["x", "y"], *([at, f"{2 * at + 0.5:.1f} kg".replace(".", ",")] for at in range(60))]
        )
    said = graft("plan", path, "--target", "y", "--with", "probe").works().err
    assert "y: numbers written as" in said
    assert "predictions are plain numbers in kg" in said
    model = gw.fit(path, target="y", recipe=gw.Recipe(techniques=["probe"]))
    assert model.task.name == "regression"
    assert model.predict([{"x": "30"}])[0] == pytest.approx(60.5, abs=2)
    assert model.evaluate(path).scores["r2"].value > 0.99


def test_old_manifests_have_no_forms(tmp_path: Path) -> None:
    import json

    model = _trained([str(at) for at in range(40)])
    folder = model.save(tmp_path / "m")
    manifest = json.loads((folder / "model.json").read_text())
    del manifest["checksum"]
    for column in manifest["schema"]:
        del column["form"]
    (folder / "model.json").write_text(json.dumps(manifest))
    assert np.array_equal(gw.load(folder).predict([{"x": "3"}]), model.predict([{"x": "3"}]))


def test_a_prediction_file_keeps_what_was_written(tmp_path: Path) -> None:
    header, days = ["amount", "day", "y"], [f"{1 + at % 28}/{1 + at % 12}/2024" for at in range(60)]
    with open(tmp_path / "a.csv", "w", newline="", encoding="utf-8") as file:
        rows = [[f"{at},50 €", day, str(float(at))] for at, day in enumerate(days)]
        csv.writer(file).writerows([header, *rows])
    with open(tmp_path / "b.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header[:2], ["3,50 €", "31/1/2024"], ["much", "31/1/2024"]])
    gw.fit(tmp_path / "a.csv", target="y", recipe=gw.Recipe(techniques=["probe"]), out=tmp_path / "m", verbose=False)
    graft("predict", tmp_path / "m", tmp_path / "b.csv", "--out", tmp_path / "p.csv").works()
    with open(tmp_path / "p.csv", newline="", encoding="utf-8") as file:
        predicted = list(csv.DictReader(file))
    assert [row["amount"] for row in predicted] == ["3,50 €", "much"]
    assert [row["day"] for row in predicted] == ["31/1/2024"] * 2
    assert predicted[1]["reason"] == "amount: 'much' is not a number"


def test_another_way_of_writing_is_said_in_python_too() -> None:
    model = _trained([f"{at},5" for at in range(40)])
    with pytest.warns(UserWarning, match="not as in the training table; read so"):
        values = model.predict(pd.DataFrame({"x": ["3.5", "12.25"]}))
    assert values.tolist() == pytest.approx(model.predict(pd.DataFrame({"x": ["3,5", "12,25"]})).tolist())


@pytest.mark.slow
def test_the_work_of_reading_grows_as_the_columns_do() -> None:
    import time

    def seconds(columns: int) -> float:
        names = [f"c{at}" for at in range(columns)]
        schema = load({**{name: ["1.5", "2.5"] * 10 for name in names}, "y": ["a", "b"] * 10}, target="y").table.schema
        row = {name: ["1.25"] for name in names}
        taken = []
        for _ in range(3):
            start = time.process_time()
            load_like(row, schema, with_target=False, on_bad_rows="keep")
            taken.append(time.process_time() - start)
        return min(taken)

    assert seconds(2000) < 40 * seconds(200)


def test_plain_numbers_where_training_had_percentages_are_said() -> None:
    rows = [f"{value / 10}%" for value in range(40)]
    schema = load({"x": rows, "y": ["a", "b"] * 20}, target="y").table.schema
    later = load_like({"x": [0.5, 2.0]}, schema, with_target=False, on_bad_rows="keep")
    assert list(later.reread) == ["x: plain numbers here, taken for % as in training: 12 means 12 %"]
    assert not load_like({"x": ["5%", "6 %"]}, schema, with_target=False, on_bad_rows="keep").reread
