"""Where a budget has no time for all rows: what decides that a fine-tune streams them, and what comes of it."""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import graftwork as gw
from graftwork.errors import DataError
from graftwork.runs import default
from graftwork.runs.budget import affordable, planning, streaming
from graftwork.runs.budget.affordable import PASS_SHARE, within_budget
from graftwork.runs.budget.look import Look
from graftwork.runs.budget.own_rows import job_of as job_of_run
from graftwork.runs.budget.streaming import Stream, streaming_of, with_stream
from graftwork.runs.candidates.planned import planned_recipes
from graftwork.runs.clock import Deadline
from graftwork.runs.default import run_all
from graftwork.runs.job.job import Job
from graftwork.runs.single.run import run_single
from graftwork.runs.workspace import Workspace, open_workspace
from heard import Ear
from jobs import job_of
from tiny import tiny_rows
from tinyrun import same, weights

SLOW = Look(prepare=1e-6, read=0.5, score=1e-5, cached={"text": 1.0})
"""Half a second a row."""
SECONDS = 300.0


def frame(rows: int = 900) -> pd.DataFrame:
    return pd.DataFrame(tiny_rows(rows), columns=["text", "label"])


@pytest.fixture
def auto(base: Path) -> gw.Recipe:
    return gw.Recipe(base=str(base), training=gw.Training(precision="fp32", batch=16))


@pytest.fixture(autouse=True)
def few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "LEAST_STEPS", 4)
    monkeypatch.setattr(affordable, "FEWEST", 40)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row takes half a second in the first pass, which ends after 40 seconds."""
    monkeypatch.setattr(affordable, "look_at", lambda *_: SLOW)
    real = affordable.first_pass

    def passed(*given: Any) -> int:
        job, recipe, most, _, fewest, listener, most_valid = given
        now = [0.0]
        listener.computed = lambda done, _: now.__setitem__(0, done * 0.5)
        return real(job, recipe, most, Deadline(40.0, lambda: now[0]), fewest, listener, most_valid)

    monkeypatch.setattr(affordable, "first_pass", passed)


def asked(job: Job, recipe: gw.Recipe, look: Look = SLOW, seconds: float = SECONDS) -> int | None:
    found = streaming_of(job, recipe, planned_recipes(job, recipe), look, seconds, PASS_SHARE)
    assert found is None or found.blocks == 3
    return None if found is None else found.rows


# --- whether ----------------------------------------------------------------------------------------------------------
def test_rows_are_streamed_where_a_pass_does_not_fit_and_steps_do(
    auto: gw.Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = job_of(frame(), auto)
    rows = asked(job, auto)
    assert rows is not None
    assert 4 * 16 <= rows < len(job.train)
    assert asked(job, auto, seconds=800) is None  # all rows fit
    assert asked(job, auto, replace(SLOW, read=0.01)) is None
    monkeypatch.setattr(streaming, "LEAST_STEPS", 500)
    assert asked(job, auto) is None


def test_what_the_recipe_settles_or_was_not_measured_is_not_streamed(
    auto: gw.Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = job_of(frame(), auto)
    assert asked(job, auto) is not None
    for training in (gw.Training(epochs=2), gw.Training(steps=9)):
        assert asked(job, replace(auto, training=training)) is None
    assert asked(job, replace(auto, techniques=[gw.Probe()])) is None
    assert asked(job, auto, replace(SLOW, cached={"text": 0.5})) is None
    assert asked(replace(job, valid=None), auto) is None
    beside = job_of(frame().assign(number=[row % 7 / 2 for row in range(900)]), auto)
    assert asked(beside, auto) is None  # texts alone
    few = job_of(frame(), auto, unlabelled=frame(90)[["text"]])
    assert len(few.train) > len(job.train)
    assert asked(few, auto) is None
    monkeypatch.setattr(streaming, "MOST_KEPT", 8 * job.classes - 1)
    assert asked(job, auto) is None


@pytest.mark.usefixtures("slow")
def test_a_caller_that_can_not_stream_is_given_as_many_rows_as_fit(auto: gw.Recipe) -> None:
    job = job_of(frame(), auto)
    assert asked(job, auto) is not None
    for streams in (True, False):
        allowed = within_budget(job, auto, Workspace(), Ear(), Deadline.after(SECONDS), streams=streams)
        assert (allowed.stream is not None) == streams


def test_without_a_stream_the_runs_stay(auto: gw.Recipe) -> None:
    job = job_of(frame(200), auto)
    planned = planned_recipes(job, auto)
    assert with_stream(job, planned, None) == planned
    assert all(job_of_run(job, one) is job for _, one in planned)


# --- what comes of it -------------------------------------------------------------------------------------------------
@pytest.mark.usefixtures("slow")
def test_the_runs_and_their_rows(auto: gw.Recipe) -> None:
    job, ear = job_of(frame(), auto), Ear()
    allowed = within_budget(job, auto, Workspace(), ear, Deadline.after(SECONDS), streams=True)
    stream, kept = allowed.stream, allowed.recipe.rows
    assert stream is not None
    assert kept is not None
    rows = stream.rows
    assert 40 <= kept < rows < len(job.train)
    assert allowed.recipe.valid_rows == kept // 3
    assert [note for note in ear.notes if "heads are solved on" in note]
    small = job.sample(kept, auto.seed, allowed.recipe.valid_rows)
    usual = planned_recipes(small, allowed.recipe)
    plain = ("plain fine-tuning", replace(dict(usual)["tune"], techniques=[]))
    planned = with_stream(small, [usual[0], plain, *usual[1:]], stream)
    assert [name for name, _ in planned] == ["kernel probe", "mlp probe", "linear probe", "stream"]
    streamed = planned[-1][1]
    assert (streamed.rows, streamed.kept_rows, streamed.valid_rows) == (rows, kept, kept // 3)
    assert streamed.base == planned[0][1].base
    assert [type(one) for one in streamed.listed] == [gw.WarmStart, gw.Partial, gw.LabelSmoothing]
    its_job = job_of_run(small, streamed)
    assert len(its_job.train) == rows
    assert its_job.train.rows[:kept].tolist() == small.train.rows.tolist()
    assert its_job.valid is small.valid


@pytest.mark.usefixtures("slow")
def test_probes_read_few_rows(auto: gw.Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "MOST_KEPT", 50)
    monkeypatch.setattr(streaming, "MOST_VALID", 10)
    job = job_of(frame(), auto)
    allowed = within_budget(job, auto, Workspace(), Ear(), Deadline.after(SECONDS), streams=True)
    assert (allowed.recipe.rows, allowed.recipe.valid_rows) == (50, 10)


@pytest.mark.slow
@pytest.mark.usefixtures("slow")
def test_a_fit_that_keeps_it_is_repeated_by_its_recipe(auto: gw.Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(default, "best", lambda candidates: candidates[-1])
    monkeypatch.setattr(default._Sequence, "_why_not", lambda *_: "")
    model = gw.fit(frame(), target="label", recipe=auto, budget=SECONDS, verbose=False)
    recipe = model.recipe
    assert recipe.rows is not None
    assert recipe.kept_rows is not None
    assert recipe.kept_rows < recipe.rows < 792
    assert model.report is not None
    assert [one.name for one in model.report.candidates][-1] == "stream"
    assert (model.report.rows_used, model.report.rows_total) == (recipe.rows, 792)
    again = gw.fit(frame(), target="label", recipe=recipe, verbose=False)
    assert same(weights(again.network), weights(model.network))
    assert again.temperature == model.temperature


@pytest.mark.usefixtures("slow")
def test_what_was_decided_is_taken_up(auto: gw.Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = job_of(frame(), auto)
    first = within_budget(job, auto, open_workspace(tmp_path, False), Ear(), Deadline.after(SECONDS), streams=True)
    monkeypatch.setattr(affordable, "look_at", lambda *_: pytest.fail("it was looked at again"))
    again = within_budget(
        job, auto, open_workspace(tmp_path, True), ear := Ear(), Deadline.after(SECONDS), streams=True
    )
    assert (again.recipe, again.stream) == (first.recipe, first.stream)
    assert [note for note in ear.notes if "heads are solved on" in note]


@pytest.mark.slow
def test_a_row_that_can_not_be_read_leaves_it_out(auto: gw.Recipe) -> None:
    """It was not looked at before the step that came to it: what there is, is kept."""
    job, ear, real = job_of(frame(300), auto).sample(60, 0, 20), Ear(), run_single

    def run(*given: Any, **more: Any) -> Any:
        if more["name"] == "stream":
            raise DataError("photos.csv, row 9: broken.jpg can't be read")
        return real(*given, **more)

    candidates, _ = run_all(job, auto, Workspace(), ear, None, stream=Stream(200, 2), run=run)
    assert len(candidates) == 3
    assert "stream: left out. photos.csv, row 9: broken.jpg can't be read" in ear.notes


@pytest.mark.slow
def test_a_full_disk_is_no_row_that_can_not_be_read(auto: gw.Recipe) -> None:
    job, real = job_of(frame(300), auto).sample(60, 0, 20), run_single

    def run(*given: Any, **more: Any) -> Any:
        if more["name"] == "stream":
            raise DataError("No space left to write run") from OSError(errno.ENOSPC, "No space left on device")
        return real(*given, **more)

    with pytest.raises(DataError, match="No space left"):
        run_all(job, auto, Workspace(), Ear(), None, stream=Stream(200, 2), run=run)


@pytest.mark.usefixtures("slow")
def test_a_plan_shows_it(auto: gw.Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "first_look", lambda *_: SLOW)
    plans = dict(planning.planned(job_of(frame(), auto), auto, Ear(), Deadline.after(SECONDS)))
    assert "stream" in plans
    assert "tune" not in plans
    assert plans["stream"].cache == {}
    alone = dict(planning.planned(job_of(frame(), auto), auto, Ear(), Deadline.after(SECONDS), streams=False))
    assert "tune" in alone
    assert "stream" not in alone
    assert 4 <= plans["stream"].total_steps <= 40
