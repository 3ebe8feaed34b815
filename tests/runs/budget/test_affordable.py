"""What a budget allows: rows that are read in time, time kept for the scores, a refusal that names the least."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import graftwork as gw
from command import graft, topics
from graftwork.errors import UsageError
from graftwork.runs.budget import affordable
from graftwork.runs.budget.affordable import within_budget
from graftwork.runs.budget.look import Look
from graftwork.runs.clock import Deadline, at_least, shown
from graftwork.runs.fit import fit_data
from graftwork.runs.job.data_arguments import DataArguments
from graftwork.runs.workspace import Workspace, open_workspace
from heard import Ear
from jobs import job_of
from tiny import tiny_rows
from tinyrun import same, weights

FAST = Look(prepare=1e-6, read=1e-5, score=1e-5, cached={"text": 1.0})


def frame(rows: int) -> pd.DataFrame:
    return pd.DataFrame(tiny_rows(rows), columns=["text", "label"])


@pytest.fixture
def probe(base: Path) -> gw.Recipe:
    return gw.Recipe(base=str(base), techniques=[gw.Probe()], training=gw.Training(precision="fp32"))


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Callable[[Look], None]:
    """`looks(Look(...))`: that is what a row takes here."""
    return lambda look: monkeypatch.setattr(affordable, "look_at", lambda *_: look)


def test_a_budget_that_is_plenty_changes_nothing(probe: gw.Recipe, looks: Callable[[Look], None]) -> None:
    looks(FAST)
    plain = gw.fit(frame(300), target="label", recipe=probe, verbose=False)
    model = gw.fit(frame(300), target="label", recipe=probe, budget=1000, verbose=False)
    assert model.recipe == plain.recipe
    assert same(weights(model.network), weights(plain.network))
    assert model.report is not None
    assert (model.report.rows_used, model.report.rows_total) == (264, 264)
    assert model.report.budget_for_all is None


@pytest.mark.slow
def test_a_pass_that_is_stopped_gives_the_rows_and_the_recipe_repeats_it(
    probe: gw.Recipe, looks: Callable[[Look], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row takes half a second by the clock of this test, which counts what is read."""
    looks(replace(FAST, read=0.5))
    monkeypatch.setattr(affordable, "FEWEST", 40)
    real, ear = affordable.first_pass, Ear()

    def slow(*given: Any) -> int:
        job, recipe, most, _, fewest, listener, most_valid = given
        now = [0.0]
        listener.computed = lambda done, _: now.__setitem__(0, done * 0.5)
        return real(job, recipe, most, Deadline(40.0, lambda: now[0]), fewest, listener, most_valid)

    monkeypatch.setattr(affordable, "first_pass", slow)
    model = gw.fit(frame(900), target="label", recipe=probe, budget=300, listener=ear)
    assert model.recipe.rows is not None
    assert 40 <= model.recipe.rows < 792
    assert model.report is not None
    assert (model.report.rows_used, model.report.rows_total) == (model.recipe.rows, 792)
    assert model.report.valid_rows_used == model.recipe.rows // 3
    assert (model.report.budget_for_all or 0) > 300
    found = model.report.metrics()["rows_used"]
    assert found["train"] == {"used": model.recipe.rows, "total": 792}
    assert [note for note in ear.notes if re.search(r"of 792 training rows \(\d+ %\) are used, .* would use all", note)]
    again = gw.fit(frame(900), target="label", recipe=model.recipe, verbose=False)
    assert same(weights(again.network), weights(model.network))
    assert again.temperature == model.temperature


def test_a_budget_that_is_too_small_is_refused_with_the_least(probe: gw.Recipe, looks: Callable[[Look], None]) -> None:
    looks(replace(FAST, read=1.0))
    job = job_of(frame(900), probe)
    with pytest.raises(UsageError, match=r"The budget of 60s is too small: .*Give --budget 8m or more"):
        within_budget(job, probe, Workspace(), Ear(), Deadline.after(60))
    named = 480.0
    affordable._check(job, replace(FAST, read=1.0), Deadline.after(named), affordable.FINISH, 1.0, 1)


def test_test_rows_are_paid_for_first(probe: gw.Recipe, looks: Callable[[Look], None]) -> None:
    looks(replace(FAST, score=0.01))
    job = job_of(frame(300), probe, test=frame(900))
    allowed = within_budget(job, probe, Workspace(), Ear(), Deadline.after(100))
    assert allowed.deadline is not None
    assert 100 - allowed.deadline.left() == pytest.approx(9 + affordable.FINISH, abs=1.5)
    with pytest.raises(UsageError, match=r"9 s of it for the 900 test rows"):
        within_budget(job, probe, Workspace(), Ear(), Deadline.after(10))


def test_several_runs_share_a_budget(probe: gw.Recipe, looks: Callable[[Look], None]) -> None:
    looks(replace(FAST, read=0.02))
    job = job_of(frame(900), probe)
    within_budget(job, probe, Workspace(), Ear(), Deadline.after(60))
    with pytest.raises(UsageError, match="for 11 runs"):
        within_budget(job, probe, Workspace(), Ear(), Deadline.after(60), runs=11)


def test_where_every_step_reads_other_rows_all_are_used(looks: Callable[[Look], None]) -> None:
    """Only validation, which is scored again and again, is cut."""
    looks(Look(prepare=1e-6, read=0.1, score=0.1, cached={}))
    recipe = gw.Recipe(base="cnn:width=8", techniques=())
    job = job_of(frame(3000), recipe)
    allowed = within_budget(job, recipe, Workspace(), ear := Ear(), Deadline.after(100))
    assert (allowed.recipe.rows, allowed.recipe.valid_rows) == (None, affordable.FEWEST_VALID)
    assert any("scored on 200 of 360 validation rows" in note for note in ear.notes)


def test_what_was_decided_is_taken_up(probe: gw.Recipe, looks: Callable[[Look], None], tmp_path: Path) -> None:
    looks(replace(FAST, score=0.01))
    job = job_of(frame(300), probe, test=frame(900))
    first = within_budget(job, probe, open_workspace(tmp_path, False), Ear(), Deadline.after(100))
    looks(replace(FAST, score=9.9))
    again = within_budget(job, probe, open_workspace(tmp_path, True), Ear(), Deadline.after(100))
    assert again.recipe == first.recipe
    assert again.deadline is not None
    assert 100 - again.deadline.left() == pytest.approx(9 + affordable.FINISH, abs=1.5)


def test_the_command_line_refuses_in_time_and_trains_nothing(base: Path, tmp_path: Path) -> None:
    table = topics(tmp_path / "t.csv", 200)
    ran = graft("fit", table, "--base", base, "--budget", "1s", "--out", tmp_path / "m")
    ran.fails(2, r"The budget of 1s is too small", r"Give --budget \d+s or more")
    assert not (tmp_path / "m" / "model.json").exists()


def test_a_clock_can_be_given() -> None:
    now = [5.0]
    deadline = Deadline.after(10.0, lambda: now[0])
    now[0] = 9.0
    assert deadline.left() == 6.0
    assert deadline.sooner(2.0).left() == 4.0
    assert deadline.part(0.5).left() == 3.0
    now[0] = 20.0
    assert deadline.part(0.5).left() == deadline.left() == -5.0


@pytest.mark.parametrize(("measured", "named"), [(3.0, 5.0), (20.0, 25.0), (60.0, 70.0), (150.0, 180.0)])
def test_the_least_budget_is_one_that_people_write(measured: float, named: float) -> None:
    assert at_least(measured) == named
    assert shown(named).rstrip("s").replace("m", "").isdigit()


def test_domains_left_out_without_time_for_a_step_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their scores would be those of networks that have learned nothing."""
    monkeypatch.setattr("graftwork.core.training.timing._seconds_per_step", lambda *_: 1.0)
    table = frame(240).assign(shop=[f"shop {row % 4}" for row in range(240)])
    given: dict[str, Any] = {"target": "label", "roles": {"domain": "shop"}, "split_by": "domain"}
    recipe = gw.Recipe(base="cnn:width=8", techniques=(), training=gw.Training(batch=8))
    with pytest.raises(UsageError, match=r"time for \d+ of \d+ steps, .*no model. Give --budget \d+[sm] or more"):
        gw.fit(table, **given, recipe=recipe, budget=40, verbose=False)


def test_a_budget_can_be_counted_in_cpu_seconds(probe: gw.Recipe) -> None:
    """A clock that stands still leaves all the time there is; one that has run out is refused."""
    data = DataArguments(train=frame(90), target="label")
    model = fit_data(data, probe, budget=30, clock=lambda: 7.0)
    assert model.recipe.rows is None
    ticks = iter(range(0, 10**6, 20))
    with pytest.raises(UsageError, match="The budget of 30s is too small"):
        fit_data(data, probe, budget=30, clock=lambda: float(next(ticks)))
