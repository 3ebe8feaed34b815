"""Where a fit takes its calibration rows from: a share of the training rows, else the test table; and the report."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import graftwork as gw
from command import graft
from graftwork.data.table import Table
from graftwork.errors import DataError, UsageError
from graftwork.runs.job.data_arguments import DataArguments
from graftwork.runs.job.job import make_job

PROBE = gw.Recipe(techniques=["probe"])
HELD = gw.Recipe(techniques=["probe"], calibration_share=0.2)


def rows(count: int, seed: int = 0) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(count, 3))
    kind = np.array(["ash", "birch", "cedar"])[np.argmax(x + draw.normal(size=(count, 3)) * 0.3, axis=1)]
    return pd.DataFrame({"u": x[:, 0], "v": x[:, 1], "w": x[:, 2], "kind": kind, "owner": np.arange(count) // 10})


def fit(recipe: gw.Recipe, test: pd.DataFrame | None = None, **data: object) -> gw.Model:
    table = rows(800)
    return gw.fit(table, target="kind", recipe=recipe, test=test, ignore=["owner"], verbose=False, **data)  # type: ignore[arg-type]


def keys(table: Table | None) -> set[float]:
    assert table is not None
    return set(table.values("u"))


def test_a_share_is_held_out_beyond_validation() -> None:
    plain = make_job(DataArguments(train=rows(800), target="kind", ignore=["owner"]), PROBE)
    job = make_job(DataArguments(train=rows(800), target="kind", ignore=["owner"]), HELD)
    assert plain.calibration is None
    assert keys(job.valid) == keys(plain.valid)
    parts = [keys(job.train), keys(job.valid), keys(job.calibration)]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 800
    assert len(parts[2]) == 160
    assert any(note.startswith("calibration: 160 of") for note in job.notes)


def test_groups_stay_together() -> None:
    job = make_job(DataArguments(train=rows(800), target="kind", roles={"group": "owner"}), HELD)
    assert job.calibration is not None
    assert not set(job.calibration.values("owner")) & set(job.train.values("owner"))


def test_few_rows_hold_nothing_out_and_say_so() -> None:
    job = make_job(DataArguments(train=rows(40), target="kind", ignore=["owner"]), HELD)
    assert job.calibration is None
    assert any(re.match("calibration: none held out, because 40 rows are few", note) for note in job.notes)


def test_the_share_comes_before_the_test_table() -> None:
    test = rows(300, 1)
    model = fit(HELD, test)
    assert model.calibration["kind"].source.startswith("held out of ")
    assert len(model.calibration["kind"]) == 160
    section = section_of(model)
    assert any("measured on 300 other rows" in line for line in section.sentences)
    assert model.recipe.calibration_share == 0.2


def test_the_test_table_serves_where_nothing_else_does() -> None:
    test = rows(300, 1)
    model = fit(PROBE, test)
    known = model.calibration["kind"]
    assert known.source.startswith("the test table")
    np.testing.assert_allclose(known.kept, model.predict_proba(test), atol=1e-6)
    assert [model.columns[at] for at in known.truth] == list(test["kind"])
    section = section_of(model)
    assert any("20 random halves" in line for line in section.sentences)
    assert section.grid is not None
    assert [row[0] for row in section.grid.rows] == ["80%", "90%", "95%"]
    assert not fit(PROBE).calibration


def test_it_changes_no_prediction() -> None:
    test = rows(300, 1)
    assert np.array_equal(fit(PROBE, test).predict_proba(test), fit(PROBE).predict_proba(test))


def test_a_fitted_folder_predicts_sets(tmp_path: Path) -> None:
    for name, seed in (("train", 0), ("test", 1), ("new", 2)):
        rows(600, seed).drop(columns="owner").to_csv(tmp_path / f"{name}.csv", index=False)
    out, at = tmp_path / "run", tmp_path / "p.csv"
    graft(
        "fit",
        tmp_path / "train.csv",
        "--target",
        "kind",
        "--with",
        "probe",
        "--test",
        tmp_path / "test.csv",
        "--out",
        out,
    ).works()
    graft("predict", out, tmp_path / "new.csv", "--out", at, "--coverage", "0.9").works()
    found = pd.read_csv(at)
    held = [kind in json.loads(one) for kind, one in zip(found["kind"], found["prediction_set"], strict=True)]
    assert abs(np.mean(held) - 0.9) < 0.05
    assert "When it is sure" in (out / "report.html").read_text(encoding="utf-8")
    assert "When it is sure" in (out / "README.md").read_text(encoding="utf-8")
    assert gw.load(out).calibration["kind"].source == "the test table test.csv"
    other = tmp_path / "held"
    graft(
        "fit",
        tmp_path / "train.csv",
        "--target",
        "kind",
        "--with",
        "probe",
        "--set",
        "calibration_share=0.3",
        "--out",
        other,
    ).works()
    assert gw.load(other).calibration["kind"].source == "held out of train.csv"
    assert "calibration_share: 0.3" in (other / "recipe.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("share", [-0.1, 0.9, 1.0])
def test_a_share_must_leave_rows_to_train(share: float) -> None:
    with pytest.raises(UsageError, match=r"calibration_share is .* below 0\.88"):
        gw.Recipe(calibration_share=share)


def test_tasks_without_sets_hold_nothing_out() -> None:
    people = [{"text": f"{person} says {at}", "who": str(person)} for person in range(12) for at in range(6)]
    recipe = gw.Recipe(base="gru:width=8", task="identity", techniques=[], calibration_share=0.2)
    with pytest.raises(UsageError, match="calibration_share is for classes, label sets and numbers"):
        make_job(DataArguments(train=people, target="who"), recipe)


def test_rows_that_can_not_be_spared_are_told() -> None:
    table = rows(300).assign(owner=np.repeat([0, 1], [260, 40]))
    data = DataArguments(train=table, target="kind", roles={"group": "owner"})
    with pytest.raises(DataError, match=r"calibration_share: .*graft calibrate takes a table of its own"):
        make_job(data, HELD)


def section_of(model: gw.Model):  # type: ignore[no-untyped-def]
    assert model.report is not None
    found = [one for one in model.report.headline[1].sections if one.title == "When it is sure"]
    assert len(found) == 1
    return found[0]
