"""graftwork.runs.single.run: one run of one recipe, its fingerprint, and what a budget allows."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save_file

import graftwork as gw
from graftwork.core.settings import resolve_precision
from graftwork.core.training.checkpoint import Checkpointing
from graftwork.errors import CheckpointError
from graftwork.runs.clock import Deadline
from graftwork.runs.job.job import Job
from graftwork.runs.single import run as single
from graftwork.runs.single.run import build_network, plan_single, run_single
from graftwork.runs.workspace import Workspace, open_workspace
from heard import Ear
from jobs import job_of
from tiny import tiny_rows
from tinyrun import same, weights

QUICK = gw.Training(steps=4, batch=16, precision="fp32", evaluations=1)


@dataclass(frozen=True)
class Fingerprints(Workspace):
    """Keeps nothing but the fingerprints of its runs."""

    seen: list[str] = field(default_factory=list)

    def checkpoints(self, name: str, fingerprint: str) -> Checkpointing | None:  # noqa: ARG002
        self.seen.append(fingerprint)
        return None


def frame(rows: int = 90) -> pd.DataFrame:
    return pd.DataFrame(tiny_rows(rows), columns=["text", "label"])


def run(
    job: Job, recipe: gw.Recipe, workspace: Workspace | None = None, deadline: Deadline | None = None
) -> single.Candidate:
    return run_single(job, recipe, name="run", workspace=workspace or Workspace(), listener=Ear(), deadline=deadline)


@pytest.fixture(scope="module")
def recipe(base: Path) -> gw.Recipe:
    return gw.Recipe(base=str(base), techniques=[gw.LabelSmoothing(0.1), gw.Probe()], training=QUICK)


# --- the run --------------------------------------------------------------------------------------------------------
def test_the_resolved_recipe_leaves_nothing_open(recipe: gw.Recipe) -> None:
    plain = replace(recipe, training=gw.Training(batch=16), techniques=[gw.Partial(1)])
    job = job_of(frame(), plain)
    plan = plan_single(job, plain)
    done = run(job, plain)
    training = done.recipe.training
    assert training.steps == done.fitted.steps == plan.total_steps == done.plan.total_steps
    assert training.precision == resolve_precision("auto")
    assert (training.lr, training.head_lr) == (5e-5, 5e-4)
    assert plan.seconds is not None
    assert plan.seconds > 0
    assert plan_single(job, plain, timed=False).seconds is None


def test_the_global_random_state_takes_no_part(recipe: gw.Recipe) -> None:
    scratch = replace(recipe, base="cnn:width=8", techniques=(), training=QUICK)
    job = job_of(frame(), scratch)
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = build_network(job, scratch)
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(2)
    assert same(weights(first), weights(build_network(job, scratch)))
    assert not same(weights(first), weights(build_network(job, replace(scratch, seed=1))))


def test_a_resumed_run_takes_the_steps_it_took(
    recipe: gw.Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step count that was found by timing is not found again."""
    long = replace(recipe, techniques=(), training=replace(QUICK, steps=50))
    job = job_of(frame(), long)
    monkeypatch.setattr("graftwork.core.training.timing._seconds_per_step", lambda *_: 1.0)
    first = run(job, long, open_workspace(tmp_path, False), deadline=Deadline.after(8))
    assert 0 < first.fitted.steps < 8
    monkeypatch.setattr("graftwork.core.training.timing._seconds_per_step", lambda *_: 0.01)
    again = run(job, long, open_workspace(tmp_path, True), deadline=Deadline.after(100))
    assert again.recipe == first.recipe
    assert same(weights(again.network), weights(first.network))


def test_a_resumed_run_of_other_steps_is_refused(recipe: gw.Recipe, tmp_path: Path) -> None:
    short = replace(recipe, techniques=(), training=replace(QUICK, steps=3))
    job = job_of(frame(), short)
    run(job, short, open_workspace(tmp_path, False))
    other = replace(short, training=replace(QUICK, steps=4))
    with pytest.raises(CheckpointError, match=r"was begun with other steps or epochs. Repeat the command"):
        run(job, other, open_workspace(tmp_path, True))


@pytest.mark.parametrize(
    "content",
    [
        "[]",
        "3",
        '{"stops": 3}',
        '{"steps": 3, "asked": 2}',
        '{"steps": "3"}',
        '{"steps": 3, "cuts": 1}',
        '{"steps": -1, "asked": [4, null]}',
        '{"steps": 4, "asked": [4, null], "cuts": [5]}',
    ],
)
def test_what_is_kept_of_a_run_is_not_believed(content: str, recipe: gw.Recipe, tmp_path: Path) -> None:
    job = job_of(frame(), recipe)
    run(job, recipe, open_workspace(tmp_path, False))
    (tmp_path / ".work" / "run.json").write_text(content)
    with pytest.raises(CheckpointError, match=r"is damaged \((.*[eE]xpected|steps is missing)"):
        run(job, recipe, open_workspace(tmp_path, True))


# --- the fingerprint ------------------------------------------------------------------------------------------------
@pytest.mark.slow
def test_the_fingerprint_covers_rows_validation_weights_and_settings(recipe: gw.Recipe, tmp_path: Path) -> None:
    base = tmp_path / "bert"
    shutil.copytree(recipe.base, base)
    recipe = replace(recipe, base=str(base))
    valid = frame(12)
    seen = Fingerprints()

    def of(train: pd.DataFrame, valid: pd.DataFrame, recipe: gw.Recipe, **roles: str) -> str:
        run(job_of(train, recipe, valid=valid, target="label", roles=roles), recipe, seen)
        return seen.seen[-1]

    def with_cell(table: pd.DataFrame, column: str, value: str) -> pd.DataFrame:
        changed = table.copy()
        changed.loc[4, column] = value
        return changed

    plain = of(frame(), valid, recipe)
    assert of(frame(), valid, recipe) == plain
    smoothed, probe = recipe.listed
    assert of(frame(), valid, replace(recipe, techniques=[probe, smoothed])) == plain, "order changes nothing"
    heavy = frame().assign(importance=np.arange(90) / 90)
    others = [
        of(with_cell(frame(), "label", "food"), valid, recipe),
        of(with_cell(frame(), "text", "soup"), valid, recipe),
        of(frame().iloc[::-1], valid, recipe),
        of(heavy, valid, recipe, weight="importance"),
        of(heavy[::-1].assign(text=frame()["text"], label=frame()["label"]), valid, recipe, weight="importance"),
        of(frame(), with_cell(valid, "label", "food"), recipe),
        of(frame(), with_cell(valid, "text", "soup"), recipe),
        of(frame(), valid, replace(recipe, training=replace(QUICK, lr=1e-3))),
        of(frame(), valid, replace(recipe, training=replace(QUICK, steps=3))),
        of(frame(), valid, replace(recipe, techniques=[probe, gw.LabelSmoothing(0.2)])),
        of(frame(), valid, replace(recipe, seed=1)),
    ]
    file = base / "model.safetensors"
    tensors = load_file(file)
    name = next(name for name in tensors if "word_embeddings" in name)
    save_file({**tensors, name: tensors[name] * 1.001}, file, {"format": "pt"})
    others.append(of(frame(), valid, recipe))
    assert len({plain, *others}) == 1 + len(others)


# --- pausing --------------------------------------------------------------------------------------------------------
def levels(steps: int) -> dict[int, int]:
    return {1: steps // 3, 2: steps}


def paused_run(job: Job, recipe: gw.Recipe, folder: Path, until: int | None, **more: object) -> single.Candidate:
    workspace = Workspace(folder / "run", resume=True)
    return run_single(
        job, recipe, name="run", workspace=workspace, listener=Ear(), until=until, scored_at=levels, **more
    )  # type: ignore[arg-type]


def test_a_paused_run_goes_on_as_if_it_had_not(recipe: gw.Recipe, tmp_path: Path) -> None:
    long = replace(recipe, techniques=[gw.EMA(0.9), gw.LoRA(rank=2)], training=replace(QUICK, steps=9))
    job = job_of(frame(), long)
    whole = run_single(job, long, name="run", workspace=Workspace(), listener=Ear(), scored_at=levels)
    for until in (0, 1):  # there is no level 0: the lowest one that there is
        part = paused_run(job, long, tmp_path, until)
        assert (part.fitted.paused, part.fitted.steps, part.plan.total_steps) == (True, 3, 9)
    assert part.predictions is not None
    assert not np.array_equal(part.predictions["label"], whole.predictions["label"])  # type: ignore[index]
    done = paused_run(job, long, tmp_path, 2)
    assert not done.fitted.paused
    assert done.recipe == whole.recipe
    assert same(weights(done.network), weights(whole.network))
    assert np.array_equal(done.predictions["label"], whole.predictions["label"])  # type: ignore[index]


def test_a_paused_run_keeps_the_steps_that_a_budget_left_it(
    recipe: gw.Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = replace(recipe, techniques=(), training=replace(QUICK, steps=50))
    job = job_of(frame(), long)
    monkeypatch.setattr("graftwork.core.training.timing._seconds_per_step", lambda *_: 1.0)
    part = paused_run(job, long, tmp_path, 1, deadline=Deadline.after(18.5))
    total = part.plan.total_steps
    assert 12 < total < 19
    assert part.fitted.steps == total // 3
    done = paused_run(job, long, tmp_path, 2, deadline=Deadline.after(1000.0))
    assert (done.plan.total_steps, done.fitted.steps) == (total, total)


@pytest.mark.slow
def test_a_run_that_goes_on_ends_in_its_time(recipe: gw.Recipe, tmp_path: Path) -> None:
    """With a deadline of its own the rest is shortened, and what was decided is kept."""
    long = replace(recipe, techniques=(), training=replace(QUICK, steps=300))
    job, readings = job_of(frame(), long), iter(range(10**6))
    paused_run(job, long, tmp_path, 1)
    done = paused_run(job, long, tmp_path, 2, deadline=Deadline(120.0, lambda: float(next(readings))))
    assert 100 < done.fitted.steps < 230
    again = paused_run(job, long, tmp_path, 2)
    assert again.recipe == done.recipe
    assert same(weights(again.network), weights(done.network))
