"""`graft predict --unusual` and `--other`, `graft reference`, and the same in Python."""

from __future__ import annotations

import csv
import json
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import graftwork as gw
from command import graft, write_rows
from graftwork.core.rows.examples import prepare
from graftwork.core.scoring import ROW_FEATURES, predict_examples
from graftwork.errors import DataError, UsageError
from graftwork.evidence.strange.other import Other
from tiny import tiny_rows

ODD = ["qqq zzz qqq xxx zzz qqq xxx", "xxx zzz xxx qqq yyy vvv"]
RECIPE = gw.Recipe(base="gru:width=16", techniques=[], training=gw.Training(steps=40, batch=16, precision="fp32"))


def read(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = [{"text": text, "label": label} for text, label in tiny_rows(300)]
    return gw.fit(rows, target="label", recipe=RECIPE, verbose=False).save(tmp_path_factory.mktemp("made") / "model")


@pytest.fixture(name="table")
def _table(tmp_path: Path) -> Path:
    return write_rows(
        tmp_path / "new.csv", [[text] for text, _ in tiny_rows(20)] + [[""]] + [[t] for t in ODD], ["text"]
    )


def test_features_come_with_the_predictions_and_change_none_of_them(folder: Path) -> None:
    model = gw.load(folder)
    loaded = prepare(_read(model), model.network, {}, model.recipe.text, keep_on_disk=False)
    plain = predict_examples(model.network, loaded, tasks=model.tasks)
    both = predict_examples(model.network, loaded, tasks=model.tasks, features=True)
    assert (plain["label"] == both["label"]).all()
    assert both[ROW_FEATURES].shape == (20, model.network.width)
    assert set(plain) == {"label"}


def _read(model: gw.Model):  # type: ignore[no-untyped-def]
    from graftwork.data.load import load_like

    return load_like([text for text, _ in tiny_rows(20)], model.schema, with_target=False).table


def test_unusual_rows_stand_out_and_all_others_are_predicted_as_before(
    folder: Path, table: Path, tmp_path: Path
) -> None:
    graft("predict", folder, table, "--out", tmp_path / "plain.csv").works()
    graft("predict", folder, table, "--unusual", "--out", tmp_path / "p.csv").works()
    plain, found = read(tmp_path / "plain.csv"), read(tmp_path / "p.csv")
    unusual = [row.pop("unusual") for row in found]
    assert found == plain
    assert unusual[20] == ""
    values = [float(value) for value in unusual if value]
    assert all(0 <= value < 1 for value in values)
    assert min(values[20:]) > np.quantile(values[:20], 0.9)
    in_python = gw.load(folder).unusual(table)
    assert values == pytest.approx(in_python[~np.isnan(in_python)], abs=1e-6)


def test_a_frame_gives_a_series(folder: Path) -> None:
    frame = pd.DataFrame({"text": [ODD[0], "the cat is here"]}, index=[7, 9])
    found = gw.load(folder).unusual(frame)
    assert isinstance(found, pd.Series)
    assert found.index.tolist() == [7, 9]
    assert found.name == "unusual"


def test_rows_that_are_none_of_the_classes_get_their_label(folder: Path, table: Path, tmp_path: Path) -> None:
    graft("predict", folder, table, "--unusual", "--other", "none", "--beyond", "0.9", "--proba", "--out",
          tmp_path / "p.csv").works()  # fmt: skip
    for row in read(tmp_path / "p.csv"):
        if row["reason"]:
            assert row["prediction"] == ""
            continue
        assert (row["prediction"] == "none") == (float(row["unusual"]) > 0.9)
        assert (row["confidence"] == "") == (row["prediction"] == "none") == (row["p(food)"] == "")
    assert {row["prediction"] for row in read(tmp_path / "p.csv")[-2:]} == {"none"}


def test_the_label_alone_adds_no_column(folder: Path, table: Path, tmp_path: Path) -> None:
    graft("predict", folder, table, "--other", "none", "--out", tmp_path / "p.csv").works()
    assert "unusual" not in read(tmp_path / "p.csv")[0]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--other", "food"), "'food' is a class of the model"),
        (("--other", " "), "is empty"),
        (("--beyond", "0.5"), "name that too"),
        (("--other", "none", "--beyond", "1"), "above 0 and below 1"),
        (("--other", "none", "--beyond", "0.9999"), "no row is more unusual"),
    ],
)
def test_wrong_use_is_said(folder: Path, table: Path, tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    graft("predict", folder, table, *options, "--out", tmp_path / "p.csv").fails(2, said)
    assert not (tmp_path / "p.csv").exists()


def test_a_model_without_a_reference_says_how_to_get_one_and_takes_it(
    folder: Path, table: Path, tmp_path: Path
) -> None:
    without = replace(gw.load(folder), reference=None).save(tmp_path / "old")
    assert not (without / "reference.safetensors").exists()
    graft("predict", without, table, "--unusual", "--out", tmp_path / "p.csv").fails(2, "graft reference .*old TABLE")
    with pytest.raises(UsageError, match="with_reference"):
        gw.load(without).unusual(["the cat is here"])
    rows = write_rows(tmp_path / "rows.csv", tiny_rows(100))
    graft("reference", without, rows).works()
    graft("predict", without, table, "--unusual", "--out", tmp_path / "p.csv").works()
    in_python = gw.with_reference(gw.load(folder), rows)
    assert in_python.unusual(ODD).tolist() == pytest.approx(gw.load(without).unusual(ODD).tolist())
    few = write_rows(tmp_path / "few.csv", tiny_rows(10))
    graft("reference", without, few).fails(1, "10 rows that can be read. Expected 40")
    with pytest.raises(DataError):
        gw.with_reference(gw.load(folder), few)


def test_a_model_that_knows_its_ordinary_rows_by_heart_says_so(table: Path, tmp_path: Path) -> None:
    """Of few rows none are held out; rows that it has not seen mend that."""
    rows = [{"text": text, "label": label} for text, label in tiny_rows(60)]
    made = gw.fit(rows, target="label", recipe=RECIPE, verbose=False)
    assert made.reference is not None
    assert made.reference.by_heart
    with pytest.warns(UserWarning, match="which it knows by heart.* `graft reference MODEL TABLE`"):
        made.unusual(ODD)
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        said = graft("predict", made.save(tmp_path / "m"), table, "--unusual", "--out", tmp_path / "p.csv").works()
    assert "warning: Too few rows or none were held out" in said.out + said.err
    made.predict(ODD)  # nothing is said where it is not asked
    mended = gw.with_reference(made, write_rows(tmp_path / "rows.csv", tiny_rows(40)))
    assert mended.reference is not None
    assert mended.reference.held_out
    mended.unusual(ODD)


def test_a_model_that_replaces_one_leaves_no_reference_of_it(folder: Path, tmp_path: Path) -> None:
    model = gw.load(folder)
    model.save(tmp_path / "model")
    assert (tmp_path / "model" / "reference.safetensors").is_file()
    replace(model, reference=None).save(tmp_path / "model")
    assert not (tmp_path / "model" / "reference.safetensors").exists()
    assert gw.load(tmp_path / "model").reference is None


def test_the_reference_is_vouched_for(folder: Path, tmp_path: Path) -> None:
    copy = gw.load(folder).save(tmp_path / "model")
    path = copy / "reference.safetensors"
    assert path.name in json.loads((copy / "model.json").read_text())["files"]
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    graft("predict", copy, copy, "--out", tmp_path / "p.csv").fails(1)
    with pytest.raises(gw.GraftworkError, match="not as it was written"):
        gw.load(copy)


def test_numbers_are_no_classes_to_be_none_of() -> None:
    rows = [{"x": float(row), "y": 2.0 * row} for row in range(60)]
    model = gw.fit(rows, target="y", recipe=replace(RECIPE, base="auto", techniques=["probe"]), verbose=False)
    assert model.unusual([{"x": 1e6}, {"x": 30.5}]).tolist()[0] > 0.9
    with pytest.raises(UsageError, match="one class a row; this one has y"):
        Other("none").target_among(model.tasks)


def test_the_setting_leaves_it_out() -> None:
    rows = [{"text": text, "label": label} for text, label in tiny_rows(60)]
    model = gw.fit(rows, target="label", recipe=replace(RECIPE, reference=False), verbose=False)
    assert model.reference is None
    assert model.recipe.to_dict()["reference"] is False
