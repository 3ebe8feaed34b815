"""`graft fit --other`: rows that are none of the classes teach from where on a row is none, and are no class."""

from __future__ import annotations

import csv
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import graftwork as gw
from command import graft, write_rows
from graftwork.errors import DataError, UsageError
from graftwork.evidence.strange.other import taught
from tiny import tiny_rows

RECIPE = gw.Recipe(base="gru:width=16", techniques=[], training=gw.Training(steps=40, batch=16, precision="fp32"))


def odd(rows: int, seed: int) -> list[tuple[str, str]]:
    draw = random.Random(seed)
    return [(" ".join(draw.choices(["qqq", "zzz", "xyz", "vvv"], k=draw.randint(3, 7))), "none") for _ in range(rows)]


def table(path: Path, ordinary: int, others: int, seed: int = 0) -> Path:
    rows = [*tiny_rows(ordinary), *odd(others, seed)]
    random.Random(seed).shuffle(rows)
    return write_rows(path, rows)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("made")
    out = place / "model"
    gw.fit(table(place / "t.csv", 400, 40), target="label", other="none", recipe=RECIPE, out=out, verbose=False)
    return out


def test_it_is_no_class_and_its_rows_get_it(folder: Path) -> None:
    model = gw.load(folder)
    assert model.tasks["label"].classes == ("animals", "food", "weather")
    texts = [text for text, _ in odd(30, 7)]
    assert np.mean(model.predict(texts) == "none") > 0.9
    ordinary = [text for text, _ in tiny_rows(90)]
    assert np.mean(model.predict(ordinary) == "none") <= 0.1
    assert np.isnan(model.predict_proba(texts)[model.predict(texts) == "none"]).all()


def test_no_capacity_goes_to_it(folder: Path) -> None:
    """The same weights as without these rows."""
    plain = gw.fit([{"text": text, "label": label} for text, label in _ordinary(folder)], target="label",
                   recipe=RECIPE, verbose=False)  # fmt: skip
    found = gw.load(folder).network.state_dict()
    assert all((found[name] == values).all() for name, values in plain.network.state_dict().items())


def _ordinary(folder: Path) -> list[list[str]]:
    with open(folder.parent / "t.csv", newline="", encoding="utf-8") as file:
        return [row for row in list(csv.reader(file))[1:] if row[1] != "none"]


def test_the_file_is_predicted_with_it_and_scores_leave_it_out(folder: Path, tmp_path: Path) -> None:
    new = table(tmp_path / "new.csv", 60, 12, seed=3)
    graft("predict", folder, new, "--out", tmp_path / "p.csv").works()
    with open(tmp_path / "p.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert "unusual" not in rows[0]
    assert sum(row["prediction"] == "none" for row in rows if row["label"] == "none") >= 10
    with pytest.warns(UserWarning, match=r"12 rows of .*new.csv with 'none' are no class and left out") as said:
        found = gw.load(folder).evaluate(new)
    assert found.rows == 60
    assert "of them are found. Of the other 60 rows" in str(said[0].message)
    graft("evaluate", folder, write_rows(tmp_path / "odd.csv", odd(9, 4))).fails(1, "every row has 'none'")


def test_calibration_leaves_it_out(folder: Path, tmp_path: Path) -> None:
    labelled = table(tmp_path / "labelled.csv", 60, 12, seed=5)
    graft("calibrate", folder, labelled, "--out", tmp_path / "calibrated").works()
    model = gw.load(tmp_path / "calibrated")
    assert len(model.calibration["label"]) == 60
    new = [text for text, _ in odd(20, 8)]
    without = [found is None for found in model.predict_sets(new)]
    assert without == [answer == "none" for answer in model.predict(new)]
    assert any(without)
    with pytest.raises(DataError, match="every row has 'none'"):
        model.calibrated_on(write_rows(tmp_path / "odd.csv", odd(20, 6)))


def test_a_reference_too_small_for_its_threshold_is_refused(folder: Path) -> None:
    model = gw.load(folder)
    assert model.reference is not None
    assert model.reference.other is not None
    strict = replace(model.reference, other=replace(model.reference.other, beyond=0.97))
    with pytest.raises(DataError, match="too few rows: with them no row could be unusual enough to be 'none'"):
        gw.with_reference(replace(model, reference=strict), [text for text, _ in tiny_rows(50)])
    made = gw.with_reference(replace(model, reference=strict), [text for text, _ in tiny_rows(90)])
    assert made.reference is not None
    assert made.reference.other == strict.other


def test_what_it_taught_is_said_by_rows_that_did_not_teach(tmp_path: Path) -> None:
    train, test = table(tmp_path / "t.csv", 200, 20), table(tmp_path / "test.csv", 60, 9, seed=2)
    settings = ["--set", "steps=40", "--set", "batch=16", "--set", "precision=fp32", "--with", "none"]
    given = [train, "--test", test, "--other", "none", "--base", "gru:width=16", *settings]
    done = graft("fit", *given, "--out", tmp_path / "m").works()
    assert "other: 20 rows with 'none' are no class" in done.err
    assert "of 9 test rows with that label are found" in done.err


def test_at_most_few_ordinary_rows_are_lost() -> None:
    most = 1 - 1 / 100
    near = taught("none", np.full(50, 0.97), most)
    assert near.beyond == pytest.approx(0.97)
    assert near.chosen(np.array([0.97, 0.96]), most).tolist() == [True, False]
    assert taught("none", np.full(50, 0.5), most).beyond == pytest.approx(0.99), "these rows can't be told apart"
    assert taught("none", np.array([0.99, 0.96]), most).beyond == pytest.approx(0.96)
    few = 1 - 1 / 11
    assert taught("none", np.array([few]), few).beyond == pytest.approx(few)


def test_wrong_use_is_said() -> None:
    rows = [{"text": text, "label": label, "length": float(len(text))} for text, label in tiny_rows(60)]
    with pytest.raises(UsageError, match=r"No row of .* has 'none' in 'label'"):
        gw.fit(rows, target="label", other="none", recipe=RECIPE, verbose=False)
    with pytest.raises(UsageError, match="one target that holds one class a row"):
        gw.fit(rows, target=["label", "length"], other="food", recipe=RECIPE, verbose=False)


def test_whole_numbers_have_a_whole_number() -> None:
    codes = {"animals": 1, "food": 2, "weather": 3, "none": -1}
    rows = [{"text": text, "label": codes[label]} for text, label in [*tiny_rows(200), *odd(20, 0)]]
    model = gw.fit(rows, target="label", other="-1", recipe=RECIPE, verbose=False)
    found = model.predict([text for text, _ in odd(20, 5)])
    assert (found == -1).mean() > 0.8


def test_few_rows_teach_nothing() -> None:
    rows = [{"text": text, "label": label} for text, label in [*tiny_rows(18), *odd(5, 0)]]
    recipe = replace(RECIPE, valid_share=0.2)
    with pytest.raises(DataError, match="Leave --other out"):
        gw.fit(rows, target="label", other="none", recipe=recipe, verbose=False)
