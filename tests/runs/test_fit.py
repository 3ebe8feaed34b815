"""graftwork.runs.fit: rows that a budget allows, what a resumed call repeats, and what is planned."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import graftwork as gw
from graftwork.errors import UsageError
from graftwork.runs.budget import affordable
from graftwork.runs.budget.affordable import Allowed, within_budget
from graftwork.runs.clock import Deadline
from graftwork.runs.fit import plan
from graftwork.runs.job.job import Job
from graftwork.runs.workspace import FOLDER, Workspace, open_workspace
from heard import Ear
from jobs import job_of
from tiny import tiny_rows
from tinyrun import Killed, same, weights


def frame(rows: int = 120, rare: int = 3) -> pd.DataFrame:
    """The last `rare` rows are of a class of their own."""
    table = pd.DataFrame(tiny_rows(rows), columns=["text", "label"])
    table.loc[rows - rare :, "label"] = "rare"
    return table


@pytest.fixture(scope="module")
def recipe(base: Path) -> gw.Recipe:
    training = gw.Training(steps=6, batch=8, evaluations=3, precision="fp32")
    return gw.Recipe(base=str(base), techniques=[gw.LabelSmoothing(0.1)], training=training)


@pytest.fixture
def allowed(monkeypatch: pytest.MonkeyPatch) -> Callable[[int | None], None]:
    """`allowed(30)`: that many rows fit into every budget; `allowed(None)`: nobody may ask."""

    def allow(rows: int | None) -> None:
        def answer(job: Job, *_: Any) -> tuple[int | None, int | None]:
            assert rows is not None, "the rows are known already"
            return (None if rows >= len(job.train) else rows), None

        monkeypatch.setattr(affordable, "_rows", answer)

    return allow


def test_a_budget_limits_the_rows_and_the_recipe_says_so(
    recipe: gw.Recipe, allowed: Callable[[int | None], None]
) -> None:
    allowed(30)
    ear = Ear()
    model = gw.fit(frame(), target="label", recipe=recipe, budget=1000, listener=ear)
    assert model.recipe.rows == 30
    assert sum("budget: 30 of" in note for note in ear.notes) == 1
    assert model.report is not None
    assert model.report.data["train"].startswith("30 rows")
    again = gw.fit(frame(), target="label", recipe=model.recipe)
    assert same(weights(again.network), weights(model.network))
    assert again.temperature == model.temperature


def test_a_budget_that_all_rows_fit_into(recipe: gw.Recipe, allowed: Callable[[int | None], None]) -> None:
    allowed(1000)
    model = gw.fit(frame(), target="label", recipe=recipe, budget=1000)
    assert model.recipe.rows is None


def test_rows_of_the_recipe_are_not_asked_for(recipe: gw.Recipe, allowed: Callable[[int | None], None]) -> None:
    allowed(None)
    job = job_of(frame(), recipe)
    own = replace(recipe, rows=20)
    assert within_budget(job, own, Workspace(), Ear(), Deadline.after(1000.0)).recipe == own
    assert within_budget(job, recipe, Workspace(), Ear(), None) == Allowed(recipe)


def test_a_resumed_call_takes_the_rows_it_took(
    recipe: gw.Recipe, allowed: Callable[[int | None], None], tmp_path: Path
) -> None:
    allowed(30)
    whole = gw.fit(frame(), target="label", recipe=recipe, budget=1000)
    stopped: dict[str, Any] = {"target": "label", "recipe": recipe, "budget": 1000, "out": tmp_path / "m"}
    with pytest.raises(Killed):
        gw.fit(frame(), **stopped, listener=Ear("run", 5, Killed))
    assert json.loads((tmp_path / "m" / FOLDER / "rows.json").read_text())["rows"] == 30
    allowed(None)
    ear = Ear()
    resumed = gw.fit(frame(), **stopped, resume=True, listener=ear)
    assert ear.steps == [("run", 5), ("run", 6)]
    assert resumed.recipe == whole.recipe
    assert same(weights(resumed.network), weights(whole.network))
    assert not (tmp_path / "m" / FOLDER).exists(), "nothing is left to go on with"


def test_rows_may_be_recalled_without_the_budget(
    recipe: gw.Recipe, allowed: Callable[[int | None], None], tmp_path: Path
) -> None:
    decided = {"rows": 25, "valid_rows": None, "reserve": 1.0, "for_all": None}
    open_workspace(tmp_path, False).remember("rows", decided)
    allowed(None)
    job = job_of(frame(), recipe)
    assert within_budget(job, recipe, open_workspace(tmp_path, True), Ear(), None).recipe.rows == 25


def test_a_plan_counts_the_rows_that_would_be_trained_on(recipe: gw.Recipe) -> None:
    one = replace(recipe, rows=40, training=gw.Training(epochs=1, batch=8))
    [(name, planned)] = plan(frame(), target="label", recipe=one)
    model = gw.fit(frame(), target="label", recipe=one)
    assert name == "run"
    assert planned.rows == 40
    assert planned.total_steps == model.recipe.training.steps == 5


def test_a_recipe_may_be_a_file(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text("base: gru:width=8\ntechniques: []\ntraining: {steps: 1}\n")
    table = [{"text": text, "label": label} for text, label in tiny_rows(60)]
    assert gw.fit(table, target="label", recipe=path).recipe.base == "gru:width=8"
    with pytest.raises(UsageError, match="no recipe file"):
        gw.fit(table, target="label", recipe=tmp_path / "missing.yaml")
