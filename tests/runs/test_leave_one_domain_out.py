"""graftwork.runs.leave_one_domain_out: a model without each domain in turn, and its scores there."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score

import graftwork as gw
from graftwork.data.domains import domain_names
from graftwork.errors import DataError, UsageError
from graftwork.runs.leave_one_domain_out import domains_to_leave_out, without
from heard import Ear
from jobs import job_of
from tiny import tiny_rows
from tinyrun import same, weights

TRAINING = gw.Training(steps=4, batch=16, precision="fp32")
RECIPE = gw.Recipe(base="gru:width=8", techniques=[gw.Coral(1.0)], training=TRAINING)
ROLES = {"domain": "shop"}


def frame(rows: int = 126, shops: tuple[Any, ...] = ("east", "north", "west")) -> pd.DataFrame:
    table = pd.DataFrame(tiny_rows(rows), columns=["text", "label"])
    table["shop"] = [shops[at // 3 % len(shops)] for at in range(rows)]
    return table


def options(**more: Any) -> dict[str, Any]:
    return {"target": "label", "roles": ROLES, "recipe": RECIPE, **more}


def test_a_part_has_all_but_one_domain_and_is_tested_on_all_of_that() -> None:
    job = job_of(frame(), RECIPE, target="label", roles=ROLES)
    assert domains_to_leave_out(job) == ["east", "north", "west"]
    part = without(job, "north", adapt=False)
    assert part.valid is not None
    assert part.test is not None
    assert {*domain_names(part.train), *domain_names(part.valid)} == {"east", "west"}
    assert set(domain_names(part.test)) == {"north"}
    assert len(part.test) == 42
    assert len(part.train) + len(part.valid) == 84
    assert [column.levels for column in part.train.schema.columns if column.role == "domain"] == [("east", "west")]


def test_classes_that_only_the_domain_has_are_named() -> None:
    table = frame()
    table.loc[table["shop"] == "west", "label"] = "food"
    table.loc[(table["shop"] != "west") & (table["label"] == "food"), "label"] = "animals"
    ear = Ear()
    gw.fit(table, split_by="domain", listener=ear, **options())
    assert [note for note in ear.notes if "only there" in note] == [
        "left out: 1 class of label is only there, so a model of the other domains can't predict it: food"
    ]


def test_to_adapt_its_rows_come_without_their_target() -> None:
    job = job_of(frame(), RECIPE, target="label", roles=ROLES)
    part = without(job, "north", adapt=True)
    assert part.valid is not None
    assert part.test is not None
    here = domain_names(part.train) == "north"
    labels = np.array(part.train.values("label"), dtype=object)
    assert here.sum() == 42
    assert set(labels[here]) == {None}
    assert None not in set(labels[~here])
    assert "north" not in set(domain_names(part.valid))
    assert None not in part.test.values("label")


def test_the_report_has_each_domain_their_mean_and_the_worst(tmp_path: Path) -> None:
    model = gw.fit(frame(), split_by="domain", test=frame(60), out=tmp_path / "out", **options())
    assert model.report is not None
    found = json.loads((tmp_path / "out" / "metrics.json").read_text())
    left = found["left_out"]
    scores = {name: one["scores"]["accuracy"]["value"] for name, one in left["domains"].items()}
    assert list(scores) == ["east", "north", "west"]
    assert left["mean"] == pytest.approx(np.mean(list(scores.values())))
    assert left["worst"] == min(scores, key=scores.__getitem__)
    assert [one["rows"] for one in left["domains"].values()] == [42, 42, 42]
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Each domain left out" in page
    assert "By domain, test rows" in page
    assert [stage.name for stage in model.report.costs] == [
        "without east",
        "without north",
        "without west",
        "run",
        "the rest",
    ]
    truth, chosen = frame(60)["label"].to_numpy(), model.predict(frame(60)).to_numpy()
    east = frame(60)["shop"].to_numpy() == "east"
    expected = accuracy_score(truth[east], chosen[east])
    assert found["domains"]["test"]["domains"]["east"]["scores"]["accuracy"]["value"] == pytest.approx(expected)


def test_the_model_is_that_of_all_domains(tmp_path: Path) -> None:
    del tmp_path
    split, plain = (gw.fit(frame(), split_by=by, **options()) for by in ("domain", None))
    assert same(weights(split.network), weights(plain.network))


def test_the_score_is_that_of_a_model_that_never_saw_the_domain() -> None:
    table = frame()
    model = gw.fit(table, split_by="domain", **options())
    assert model.report is not None
    west = table["shop"] == "west"
    job = without(job_of(table, RECIPE, target="label", roles=ROLES), "west", adapt=False)
    others = [pd.DataFrame({n: part.values(n) for n in ("text", "label", "shop")}) for part in (job.train, job.valid)]
    alone = gw.fit(others[0], valid=others[1], **options())
    score = alone.evaluate(table[west]).scores["accuracy"].value
    assert model.report.left_out[2].scores["accuracy"].value == pytest.approx(score)


@pytest.mark.slow
def test_a_stopped_call_goes_on_where_it_was(tmp_path: Path) -> None:
    whole = gw.fit(frame(), split_by="domain", **options())

    class Second(Ear):
        """Stops the second domain's run in its third step."""

        def stepped(self, name: str, progress: Any) -> None:
            super().stepped(name, progress)
            if sum(note.startswith("left out:") for note in self.notes) == 2 and progress.step == 3:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        gw.fit(frame(), split_by="domain", out=tmp_path / "out", listener=Second(), **options())
    ear = Ear()
    resumed = gw.fit(frame(), split_by="domain", out=tmp_path / "out", resume=True, listener=ear, **options())
    assert [note.split()[2] for note in ear.notes if note.startswith("left out:")] == ["north", "west"]
    assert resumed.report is not None
    assert whole.report is not None
    assert resumed.report.left_out == whole.report.left_out
    assert same(weights(resumed.network), weights(whole.network))
    assert not (tmp_path / "out" / ".work").exists()


@pytest.mark.slow
def test_another_recipe_does_not_take_over_what_was_done(tmp_path: Path) -> None:
    class Last(Ear):
        def note(self, text: str) -> None:
            super().note(text)
            if text.startswith("left out, label"):
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        gw.fit(frame(), split_by="domain", out=tmp_path / "out", listener=Last(), **options())
    other = gw.Recipe(base="gru:width=8", techniques=[], training=TRAINING)
    ear = Ear()
    gw.fit(frame(), split_by="domain", out=tmp_path / "out", resume=True, listener=ear, **options(recipe=other))
    assert sum(note.startswith("left out:") for note in ear.notes) == 3


def test_a_plan_says_what_comes_before() -> None:
    ear = Ear()
    plans = gw.plan(frame(), split_by="domain", listener=ear, **options())
    assert [name for name, _ in plans] == ["run"]
    assert any("without each domain in turn: east, north, west" in note for note in ear.notes)


@pytest.mark.parametrize(
    ("table", "more", "error", "message"),
    [
        (frame(60), {"roles": None, "ignore": ["shop"]}, UsageError, "needs a column.*--role domain=COLUMN"),
        (frame(60, ("east",)), {}, DataError, r"'shop' has 1 value in the labelled rows \(east\). Expected two"),
        (
            pd.concat([frame(60), frame(1, ("alone",))]),
            {},
            DataError,
            "one labelled row of 'alone'. Expected at least 2.*Join it with another domain",
        ),
        (frame(60), {"split_by": "shop"}, UsageError, "split_by is 'shop'.*domain"),
        (frame(60), {"split_by": None, "adapt_to_held_out": True}, UsageError, "give split_by too"),
    ],
)
def test_what_can_not_be_left_out(table: pd.DataFrame, more: dict[str, Any], error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        gw.fit(table, **{**options(), "split_by": "domain", **more})


def test_a_table_without_the_column_is_scored_and_says_what_is_lacking() -> None:
    model = gw.fit(frame(), **options())
    assert [one.domain for one in model.evaluate(frame(60)).domains] == ["east", "north", "west"]
    with pytest.warns(UserWarning, match="no column 'shop'.*no scores by domain.*Add the column"):
        found = model.evaluate(frame(60).drop(columns="shop"))
    assert found.domains == ()
    ear = Ear()
    gw.fit(frame(), test=frame(60).drop(columns="shop"), listener=ear, **options())
    assert sum("no column 'shop'" in note for note in ear.notes) == 1


def test_predictions_that_depend_on_the_domain_say_that_it_is_lacking() -> None:
    recipe = options()["recipe"]
    model = gw.fit(frame(), **options(recipe=dataclasses.replace(recipe, techniques=[*recipe.listed, gw.Film()])))
    model.predict(frame(60))
    with pytest.warns(UserWarning, match="no column 'shop'.*unknown domain"):
        model.predict(frame(60).drop(columns="shop"))
