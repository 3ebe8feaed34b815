"""graftwork.runs.default: which runs are tried, which one is kept, and what happens when time is up."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import graftwork as gw
from graftwork.errors import NonFiniteLossError, NumericalError, UsageError
from graftwork.recipe import from_dict, with_settings
from graftwork.runs.candidates.planned import planned_recipes
from graftwork.runs.clock import Deadline
from graftwork.runs.default import best, run_all
from graftwork.runs.job.job import Job
from graftwork.runs.single.run import Candidate, run_single
from graftwork.runs.workspace import Workspace, open_workspace
from heard import Ear
from jobs import job_of as job_on
from tiny import tiny_rows
from tinyrun import Killed, same, weights

PROBES = ["kernel probe", "mlp probe", "linear probe"]
QUICK = gw.Training(steps=6, batch=16, precision="fp32")


def job_of(rows: int, recipe: gw.Recipe) -> Job:
    """Every fifth row has a wrong topic, so that the candidates differ."""
    table = pd.DataFrame(tiny_rows(rows), columns=["text", "label"])
    table.loc[::5, "label"] = "food"
    return job_on(table, recipe)


@pytest.fixture(scope="module")
def auto(base: Path) -> gw.Recipe:
    return gw.Recipe(base=str(base))


@pytest.fixture(scope="module")
def tried(auto: gw.Recipe) -> tuple[Job, list[Candidate], Candidate, Ear]:
    """The default on rows enough for validation."""
    recipe, ear = replace(auto, training=gw.Training(epochs=1, batch=16, precision="fp32")), Ear()
    job = job_of(120, recipe)
    return job, *run_all(job, recipe, Workspace(), ear, None), ear


# --- what is kept ---------------------------------------------------------------------------------------------------
def test_the_best_on_validation_is_kept_and_said(tried: tuple[Job, list[Candidate], Candidate, Ear]) -> None:
    job, candidates, kept, ear = tried
    assert [one.name for one in candidates] == ear.names == [*PROBES, "tune"]
    assert job.valid is not None
    for one in candidates:
        assert one.predictions is not None
        truth = job.task.encode(job.valid.column("label"), "", job.valid.rows)[0]
        assert one.score == pytest.approx(float((one.predictions["label"].argmax(1) == truth).mean()))
    assert kept.score == max(one.score or 0.0 for one in candidates)
    assert ear.notes == [f"kept: {kept.name}"]


@pytest.mark.parametrize("index", range(4), ids=[*PROBES, "tune"])
def test_each_resolved_recipe_repeats_its_run(
    index: int, tried: tuple[Job, list[Candidate], Candidate, Ear], tmp_path: Path
) -> None:
    job, candidates, _, _ = tried
    first = candidates[index]
    (tmp_path / "recipe.yaml").write_text(first.recipe.to_yaml())
    recipe = gw.recipe.from_yaml(tmp_path / "recipe.yaml")
    assert recipe == first.recipe == from_dict(recipe.to_dict())
    again = run_single(job, recipe, name="again", workspace=Workspace(), listener=Ear())
    assert alike(again, first)


def test_ties_go_to_the_first_and_without_validation_to_the_last(
    tried: tuple[Job, list[Candidate], Candidate, Ear],
) -> None:
    one = tried[1][0]
    scored = [replace(one, name=name, score=score) for name, score in (("a", -2.0), ("b", -1.0), ("c", -1.0))]
    assert best(scored).name == "b"
    assert best([replace(one, name=name, score=None) for name in "abc"]).name == "c"


def test_fit_returns_the_kept_one_and_its_recipe_repeats_it(auto: gw.Recipe) -> None:
    table, ear = pd.DataFrame(tiny_rows(90), columns=["text", "label"]), Ear()
    model = gw.fit(table, target="label", recipe=replace(auto, training=QUICK), listener=ear)
    assert model.recipe.techniques != "auto"
    again = gw.fit(table, target="label", recipe=model.recipe)
    assert same(weights(again.network), weights(model.network))
    assert again.temperature == model.temperature
    assert any(note.startswith("kept: ") for note in ear.notes)


@pytest.mark.parametrize("head", ["linear", "mlp:width=8", "kernel"])
def test_few_rows_are_not_held_out_and_the_tune_is_kept(head: str, auto: gw.Recipe) -> None:
    job, ear = job_of(30, auto), Ear()
    assert job.valid is None
    candidates, kept = run_all(job, replace(auto, training=QUICK, head=head), Workspace(), ear, None)
    assert [one.name for one in candidates] == ["probe", "tune"]
    assert kept is candidates[1]
    assert (kept.score, kept.predictions) == (None, None)
    assert ear.notes == ["kept: tune"]


# --- when time is up ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("rows", [24, 120])
def test_a_deadline_in_the_past_leaves_one_model(rows: int, auto: gw.Recipe) -> None:
    ear = Ear()
    job = job_of(rows, auto)
    planned = [name for name, _ in planned_recipes(job, auto)]
    candidates, kept = run_all(job, auto, Workspace(), ear, Deadline.after(-10))
    assert candidates == [kept]
    assert kept.name == planned[0]
    assert ear.notes == [f"{name}: left out, the budget is used up" for name in planned[1:]]


def test_a_run_from_scratch_takes_the_steps_that_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe, ear = gw.Recipe(base="cnn:width=8", training=gw.Training(epochs=2, batch=8)), Ear()
    job = job_of(60, recipe)
    with pytest.raises(
        UsageError, match=r"The budget of 10s is too small: train has time for 0 of .* steps"
    ) as refused:
        run_all(job, recipe, Workspace(), ear, Deadline.after(10).sooner(10))
    assert re.search(r"Give --budget \d+s or more", str(refused.value))
    monkeypatch.setattr("graftwork.core.training.timing._seconds_per_step", lambda *_: 1.0)
    _, kept = run_all(job, recipe, Workspace(), ear, Deadline.after(11))
    assert 0 < kept.fitted.steps < 11
    assert kept.recipe.training.steps == kept.fitted.steps


def test_a_fine_tune_that_the_memory_is_too_small_for_is_left_out_and_stays_so(
    auto: gw.Recipe, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ear, job = Ear(), job_of(120, auto)
    monkeypatch.setattr("graftwork.runs.lacking_memory.free_memory", lambda: 100_000)
    candidates, _ = run_all(job, auto, open_workspace(tmp_path, False), ear, None)
    assert [one.name for one in candidates] == PROBES
    left_out = next(note for note in ear.notes if "left out" in note)
    assert re.fullmatch(r"tune: left out, its steps take about [\d.]+ GB of memory, and 0\.0 GB are free", left_out)
    monkeypatch.setattr("graftwork.runs.lacking_memory.free_memory", lambda: 1 << 40)
    again, _ = run_all(job, auto, open_workspace(tmp_path, True), ear, None)
    assert [one.name for one in again] == PROBES
    assert "tune: left out, as it was before" in ear.notes


def test_the_memory_is_not_asked_where_others_make_the_runs(auto: gw.Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graftwork.runs.lacking_memory.free_memory", lambda: 0)
    recipe = replace(auto, training=gw.Training(epochs=1, batch=16))
    candidates, _ = run_all(job_of(120, recipe), recipe, Workspace(), Ear(), None, run=partial(run_single))
    assert [one.name for one in candidates] == [*PROBES, "tune"]


def test_a_run_is_left_out_where_one_like_the_last_does_not_fit(
    auto: gw.Recipe, tried: tuple[Job, list[Candidate], Candidate, Ear]
) -> None:
    """The first run, which reads the base, tells nothing of those after it."""
    job, candidates, _, _ = tried
    spent, now, ear = iter([80.0, 50.0]), [0.0], Ear()

    def run(*_: object, **__: object) -> Candidate:
        now[0] += next(spent)
        return candidates[0]

    done, _ = run_all(job, auto, Workspace(), ear, Deadline.after(175, lambda: now[0]), run=run)
    assert len(done) == 2
    assert [note.split(":")[0] for note in ear.notes] == ["linear probe", "tune", "kept"]


# --- Ctrl-C and going on --------------------------------------------------------------------------------------------
@pytest.mark.slow
def test_ctrl_c_in_the_second_run_keeps_the_first(auto: gw.Recipe) -> None:
    ear = Ear(stop="mlp probe")
    candidates, kept = run_all(job_of(120, auto), auto, Workspace(), ear, None)
    assert candidates == [kept]
    assert kept.name == "kernel probe"
    assert kept.fitted.interrupted
    assert ear.names == PROBES[:2]
    table = pd.DataFrame(tiny_rows(90), columns=["text", "label"])
    model = gw.fit(table, target="label", recipe=auto, listener=Ear(stop="mlp probe"))
    assert model.interrupted
    assert model.recipe.head == "kernel"


@pytest.mark.slow
def test_ctrl_c_within_a_tune_keeps_the_better_one(auto: gw.Recipe) -> None:
    recipe, ear = replace(auto, head="mlp:width=8", training=QUICK), Ear(stop="tune", step=2)
    candidates, kept = run_all(job_of(120, recipe), recipe, Workspace(), ear, None)
    assert [one.fitted.interrupted for one in candidates] == [False, True]
    assert candidates[1].fitted.steps == 2
    assert kept is best(candidates)


def test_ctrl_c_before_the_first_model_is_raised(auto: gw.Recipe) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_all(job_of(120, auto), auto, Workspace(), Ear(stop="kernel probe"), None)


def alike(one: Candidate, other: Candidate) -> bool:
    """Equal to the bit in all that a candidate keeps; only the best one keeps its weights."""
    kept = not any(p.is_meta for network in (one.network, other.network) for p in network.parameters())
    given = [{} if c.predictions is None else c.predictions for c in (one, other)]
    return (
        one.score == other.score
        and given[0].keys() == given[1].keys()
        and all(np.array_equal(values, given[1][name]) for name, values in given[0].items())
        and (not kept or same(weights(one.network), weights(other.network)))
    )


@pytest.mark.slow
@pytest.mark.parametrize("rows", [30, 120])
def test_a_sequence_goes_on_at_its_step_with_the_same_bits(rows: int, auto: gw.Recipe, tmp_path: Path) -> None:
    recipe = replace(auto, training=replace(QUICK, evaluations=3), head="mlp:width=8" if rows == 120 else "linear")
    job = job_of(rows, recipe)
    whole, _ = run_all(job, recipe, Workspace(), Ear(), None)
    with pytest.raises(Killed):
        run_all(job, recipe, open_workspace(tmp_path, False), Ear(stop="tune", step=5, error=Killed), None)
    ear = Ear()
    resumed, _ = run_all(job, recipe, open_workspace(tmp_path, True), ear, Deadline.after(-10))
    steps = [step for name, step in ear.steps if name == "tune"]
    assert steps == [5, 6], "the last checkpoint was written after step 4"
    assert [one.name for one in resumed] == [one.name for one in whole]
    for one, other in zip(whole, resumed, strict=True):
        assert alike(one, other)
        assert one.recipe == other.recipe


def test_a_resumed_sequence_leaves_out_what_was_left_out(auto: gw.Recipe, tmp_path: Path) -> None:
    job = job_of(120, auto)
    run_all(job, auto, open_workspace(tmp_path, False), Ear(), Deadline.after(-10))
    candidates, _ = run_all(job, auto, open_workspace(tmp_path, True), Ear(), Deadline.after(1000))
    assert [one.name for one in candidates] == ["kernel probe"]


@pytest.mark.slow
def test_only_the_best_candidate_keeps_its_weights(auto: gw.Recipe) -> None:
    recipe = replace(auto, training=QUICK)
    candidates, kept = run_all(job_of(120, recipe), recipe, Workspace(), Ear(), None)
    for one in candidates:
        assert any(p.is_meta for p in one.network.parameters()) == (one is not kept)


@pytest.mark.slow
def test_a_run_whose_loss_is_not_finite_is_left_out(auto: gw.Recipe) -> None:
    real = run_single

    def diverging(job: Job, recipe: gw.Recipe, **given: Any) -> Candidate:
        if given["name"] == "tune":
            raise NonFiniteLossError("The loss is not a finite number at step 3.")
        return real(job, recipe, **given)

    ear = Ear()
    candidates, _ = run_all(job_of(120, auto), auto, Workspace(), ear, None, run=diverging)
    assert [one.name for one in candidates] == ["kernel probe", "mlp probe", "linear probe"]
    assert "tune: left out. The loss is not a finite number at step 3." in ear.notes


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (torch.linalg.LinAlgError("linalg.cholesky: the leading minor of order 3 is not positive-definite"), "minor"),
        (NumericalError("The kernel head can't be solved on these rows."), "can't be solved"),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:124] . DefaultCPUAllocator: can't allocate memory"), "memory is"),
        (MemoryError(), "The memory is too small for it."),
    ],
)
def test_a_first_run_that_fails_is_left_out_and_the_call_goes_on(
    error: Exception, said: str, auto: gw.Recipe, tmp_path: Path
) -> None:
    real = run_single

    def failing(job: Job, recipe: gw.Recipe, **given: Any) -> Candidate:
        if given["name"] == "kernel probe":
            raise error
        return real(job, recipe, **given)

    recipe, ear = replace(auto, training=QUICK), Ear()
    candidates, kept = run_all(job_of(120, recipe), recipe, open_workspace(tmp_path, False), ear, None, run=failing)
    assert [one.name for one in candidates] == ["mlp probe", "linear probe", "tune"]
    assert kept in candidates
    assert [note for note in ear.notes if note.startswith("kernel probe: left out. ") and said in note]
    again, _ = run_all(job_of(120, recipe), recipe, open_workspace(tmp_path, True), Ear(), None, run=failing)
    assert [one.name for one in again] == ["mlp probe", "linear probe", "tune"]


def test_where_every_run_fails_the_first_failure_is_raised(auto: gw.Recipe) -> None:
    def failing(*_: Any, **given: Any) -> Candidate:
        raise NumericalError(f"{given['name']} failed")

    with pytest.raises(NumericalError, match="kernel probe failed"):
        run_all(job_of(120, auto), auto, Workspace(), Ear(), None, run=failing)


def test_a_fault_of_the_program_is_not_hidden(auto: gw.Recipe) -> None:
    def failing(*_: Any, **__: Any) -> Candidate:
        raise NotImplementedError("pairs can't be mixed")

    with pytest.raises(NotImplementedError):
        run_all(job_of(120, auto), auto, Workspace(), Ear(), None, run=failing)


def test_a_head_that_is_named_is_the_only_one(auto: gw.Recipe) -> None:
    job = job_of(120, auto)
    assert [name for name, _ in planned_recipes(job, replace(auto, head="linear"))] == ["probe", "tune"]
    assert all(one.head == "linear" for _, one in planned_recipes(job, replace(auto, head="linear")))
    assert [name for name, _ in planned_recipes(job, auto)] == [*PROBES, "tune"]


def test_the_command_line_names_a_head(base: Path) -> None:
    recipe = with_settings(gw.Recipe(base=str(base)), {"head": "linear"})
    assert all(one.head == "linear" for _, one in planned_recipes(job_of(120, recipe), recipe))


@pytest.mark.slow
def test_near_duplicates_of_many_classes_are_fitted(auto: gw.Recipe) -> None:
    """Short texts that stand there dozens of times, some of them with a word more."""
    rows = [(f"{'the ' * (row % 3)}{text}", f"{topic} {row % 7}") for row, (text, topic) in enumerate(tiny_rows(700))]
    table = pd.DataFrame(rows, columns=["text", "label"])
    ear = Ear()
    candidates, _ = run_all(job_on(table, auto), replace(auto, training=QUICK), Workspace(), ear, None)
    assert [one.name for one in candidates] == [*PROBES, "tune"]
    assert not [note for note in ear.notes if "left out" in note]
