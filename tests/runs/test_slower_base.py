"""Where a budget has no time for a better base on all rows, `fit` tries its probes on as many as there is time for, and
the recipe of the one that is kept repeats it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import graftwork as gw
from graftwork.core.frozen import cache
from graftwork.runs import default
from graftwork.runs.bases import affordable
from graftwork.runs.bases.settling import known_bases, settled
from graftwork.runs.budget import own_rows, planning
from graftwork.runs.budget.first_pass import pass_of_better
from graftwork.runs.budget.look import Look
from graftwork.runs.budget.own_rows import job_of, on_rows
from graftwork.runs.candidates.slower import slower_of, with_slower
from graftwork.runs.clock import Deadline
from graftwork.runs.default import run_all
from graftwork.runs.job.job import Job
from graftwork.runs.listener import Listener
from graftwork.runs.single.run import run_single
from graftwork.runs.workspace import Workspace, open_workspace
from heard import Ear
from jobs import job_of as job_on
from tinybases import tiny_mpnet
from tinyrun import same, weights

PROBES = ["kernel probe", "mlp probe", "linear probe"]
BUDGET = 200.0
SLOW = Look(0.0, 0.5, 0.5, {"text": 1.0})
"""Half a second a row: two passes over 300 rows have no time in the budget."""


@pytest.fixture(autouse=True)
def _mpnet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`mpnet` is at hand, there is room for it, and it is slow. The pass ends when 60 rows are read."""
    tiny_mpnet(tmp_path / "home")
    monkeypatch.setenv("GRAFTWORK_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(affordable, "free_memory", lambda: 8 * 10**9)
    monkeypatch.setattr(affordable, "first_look", lambda *_: SLOW)
    monkeypatch.setattr(own_rows, "FEWEST", 40)


@pytest.fixture
def ticking(monkeypatch: pytest.MonkeyPatch) -> None:
    def passed(job: Job, recipe: gw.Recipe, row: float, _: Deadline, listener: Listener) -> int:
        return pass_of_better(job, recipe, row, Deadline(*passing_by_rows(listener, 75.0)), listener)

    monkeypatch.setattr(default, "pass_of_better", passed)


def passing_by_rows(listener: Listener, seconds: float) -> tuple[float, Any]:
    """A moment, and a clock on which each row of a pass takes half a second."""
    now = [0.0]
    listener.computed = lambda done, _: now.__setitem__(0, done * 0.5)  # type: ignore[method-assign]
    return seconds, lambda: now[0]


def frame(rows: int = 340) -> pd.DataFrame:
    pairs = [(f"the {'room' if row % 2 else 'food'} was fine {row}", "ab"[row % 2]) for row in range(rows)]
    return pd.DataFrame(pairs, columns=["text", "label"])


def settled_job(budget: float | None = BUDGET, workspace: Workspace | None = None) -> tuple[Job, gw.Recipe]:
    job = job_on(frame(), gw.Recipe())
    ends = None if budget is None else Deadline.after(budget)
    job = settled(job, gw.Recipe(), workspace or Workspace(), Ear(), ends)
    return job, gw.Recipe(base=job.bases.named)


def planned_names(job: Job, recipe: gw.Recipe) -> list[str]:
    runs = default.planned_recipes(job, recipe, BUDGET, ())
    return [name for name, _ in with_slower(job, recipe, runs)]


# --- whether --------------------------------------------------------------------------------------------------------
def test_its_probes_come_behind_those_of_the_chosen_base_and_before_anything_is_tuned() -> None:
    job, recipe = settled_job()
    assert planned_names(job, recipe) == [*PROBES, *[f"{name} on mpnet" for name in PROBES], "tune"]
    made = dict(with_slower(job, recipe, default.planned_recipes(job, recipe, BUDGET, ())))
    assert slower_of(job, made["mlp probe"]) is None
    assert slower_of(job, made["mlp probe on mpnet"]) == ("mpnet", 0.5)


def test_without_a_budget_or_with_techniques_of_ones_own_nothing_is_added() -> None:
    job, recipe = settled_job(budget=None)
    assert job.bases.named == "mpnet"
    assert planned_names(job, recipe) == [*PROBES, "tune"]
    own = gw.Recipe(techniques=["probe"])
    job = settled(job_on(frame(), own), own, Workspace(), Ear(), Deadline.after(BUDGET))
    assert job.bases.each["text"].slower is None


def test_a_resumed_call_knows_it(tmp_path: Path) -> None:
    job, _ = settled_job(workspace=open_workspace(tmp_path / "m", False))
    assert known_bases(gw.Recipe(), open_workspace(tmp_path / "m", True)) == job.bases


def test_a_plan_shows_them_on_the_rows_that_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "first_look", lambda *_: Look(0.0, 0.001, 0.001, {"text": 1.0}))
    job, recipe = settled_job()
    plans = dict(planning.planned(job, recipe, Ear(), Deadline.after(BUDGET)))
    assert list(plans) == [*PROBES, *[f"{name} on mpnet" for name in PROBES], "tune"]
    monkeypatch.setattr(own_rows, "FEWEST", 290)
    plans = dict(planning.planned(job, recipe, ear := Ear(), Deadline.after(BUDGET)))
    assert list(plans) == [*PROBES, "tune"]
    assert "mlp probe on mpnet: left out, there is time for too few rows" in ear.notes


# --- the pass -------------------------------------------------------------------------------------------------------
def test_what_the_pass_has_read_is_not_read_again() -> None:
    job, recipe = settled_job()
    probe = dict(with_slower(job, recipe, default.planned_recipes(job, recipe, BUDGET, ())))["linear probe on mpnet"]
    ear, held = Ear(), len(job.valid or ())
    until, clock = passing_by_rows(ear, 75.0)
    rows = pass_of_better(job, probe, 0.5, Deadline(until, clock), ear)
    assert rows == pytest.approx(75.0 * own_rows.READING / 0.5, abs=40)
    assert 40 <= rows < len(job.train) - held
    read = list[int]()
    ear.computed = lambda done, _: read.append(done)  # type: ignore[method-assign]
    own = on_rows(job, probe, rows)
    done = run_single(job_of(job, own), own, name="run", workspace=Workspace(), listener=ear)
    assert read == []
    assert (len(done.predictions["label"]), done.recipe.rows) == (held, rows)  # type: ignore[index]


def test_too_few_rows_are_not_begun() -> None:
    job, recipe = settled_job()
    assert pass_of_better(job, recipe, 0.5, Deadline(12.0, lambda: 0.0), Ear()) == 0


# --- what comes of it -----------------------------------------------------------------------------------------------
@pytest.mark.usefixtures("ticking")
def test_the_kept_one_is_repeated_by_its_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        default, "best", lambda found: next((one for one in found if "kernel probe on" in one.name), found[0])
    )
    model = gw.fit(frame(), target="label", budget=BUDGET, out=tmp_path / "m", verbose=False)
    recipe, report = model.recipe, model.report
    assert report is not None
    assert [one.name for one in report.candidates][:6] == [*PROBES, *[f"{name} on mpnet" for name in PROBES]]
    rows = recipe.rows
    assert rows is not None
    assert 40 <= rows < 250
    assert (report.rows_used, report.rows_total) == (rows, 299)
    assert recipe.base == "mpnet:layers=2"
    again = gw.fit(frame(), target="label", recipe=recipe, verbose=False)
    assert same(weights(again.network), weights(model.network))
    assert again.temperature == model.temperature
    assert list(gw.load(tmp_path / "m").predict(frame()[:9])) == list(again.predict(frame()[:9]))


@pytest.mark.usefixtures("ticking")
def test_nothing_is_read_but_in_the_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by the other probes, nor for the report and the reference."""
    monkeypatch.setattr(
        default, "best", lambda found: next((one for one in found if "kernel probe on" in one.name), found[0])
    )
    computed, compute = list[int](), cache._compute

    def counted(network: Any, examples: Any, name: str, depth: int, folder: Path, watch: Any) -> None:
        if depth == network.encoder(name).depth == 3:
            computed.append(len(examples))
        compute(network, examples, name, depth, folder, watch)

    monkeypatch.setattr(cache, "_compute", counted)
    monkeypatch.setenv("GRAFTWORK_CACHE", str(tmp_path / "cache"))
    model = gw.fit(frame(), target="label", budget=BUDGET, out=tmp_path / "m", verbose=False)
    assert model.recipe.rows is not None
    assert computed == []


@pytest.mark.usefixtures("ticking")
def test_a_resumed_call_takes_the_same_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job, recipe = settled_job()
    stopped = Ear("mlp probe on mpnet")
    with_rows, _ = run_all(job, recipe, open_workspace(tmp_path / "m", False), stopped, Deadline.after(BUDGET))
    assert [one.name for one in with_rows] == [*PROBES, "kernel probe on mpnet"]
    monkeypatch.setattr(default, "pass_of_better", lambda *_: pytest.fail("it was read again"))
    resumed, _ = run_all(job, recipe, open_workspace(tmp_path / "m", True), Ear(), Deadline.after(BUDGET))
    unhurried, _ = run_all(job, recipe, open_workspace(tmp_path / "m", True), Ear(), None)
    assert [one.recipe for one in unhurried if "kernel probe on" in one.name] == [
        one.recipe for one in with_rows if "kernel probe on" in one.name
    ]
    first, again = ([one.recipe for one in found if "kernel probe on" in one.name] for found in (with_rows, resumed))
    assert first == again
    assert first[0].rows is not None


def test_where_there_is_time_for_too_few_rows_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(default, "pass_of_better", lambda *_: 0)
    job, recipe = settled_job()
    found, _ = run_all(job, recipe, Workspace(), ear := Ear(), Deadline.after(BUDGET))
    assert [one.name for one in found] == [*PROBES, "tune"]
    assert [note for note in ear.notes if "too few rows" in note] == [
        f"{name} on mpnet: left out, there is time for too few rows" for name in PROBES
    ]
