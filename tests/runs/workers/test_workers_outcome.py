"""graftwork.runs.workers.outcome: a run that another process made is as if it were made here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import graftwork as gw
from graftwork.runs.job.job import Job
from graftwork.runs.single.run import Candidate, run_single
from graftwork.runs.workers.outcome import read_outcome, write_outcome
from graftwork.runs.workspace import Workspace
from heard import Ear
from jobs import job_of
from tiny import tiny_rows

TRAINING = gw.Training(steps=4, batch=16, precision="fp32", evaluations=2)


def frame(rows: int = 90) -> pd.DataFrame:
    return pd.DataFrame(tiny_rows(rows), columns=["text", "label"])


def made(recipe: gw.Recipe, folder: Path) -> tuple[Job, Candidate, Candidate]:
    job = job_of(frame(), recipe, target="label")
    done = run_single(job, recipe, name="run", workspace=Workspace(), listener=Ear())
    write_outcome(done, job, folder / "result")
    return job, done, read_outcome(folder / "result", recipe)


@pytest.mark.parametrize(
    "techniques",
    [[], [gw.LabelSmoothing(0.1), gw.Probe()], [gw.LoRA(rank=2)], [gw.EMA(0.5), gw.Partial(1)]],
    ids=["plain", "probe", "lora", "ema"],
)
def test_all_of_it_comes_back(techniques: list[gw.Recipe], base: Path, tmp_path: Path) -> None:
    recipe = gw.Recipe(base=str(base), techniques=techniques, training=TRAINING)
    _, done, found = made(recipe, tmp_path)
    assert found.predictions is not None
    assert done.predictions is not None
    assert np.array_equal(found.predictions["label"], done.predictions["label"])
    same = ("name", "recipe", "score", "wall", "cpu", "across", "beaten", "starting", "plan")
    assert {name: getattr(found, name) for name in same} == {name: getattr(done, name) for name in same}
    assert replace(found.fitted, network=done.fitted.network) == done.fitted
    assert found.plan.table() == done.plan.table()
    after, before = found.network.state_dict(), done.network.state_dict()
    assert after.keys() == before.keys()
    assert all(np.array_equal(after[name].numpy(), before[name].numpy()) for name in before)
    assert not found.network.training


def test_the_techniques_are_those_that_were_asked_for(base: Path, tmp_path: Path) -> None:
    """Objects of this process, which may know more than their names say."""
    smoothing = gw.LabelSmoothing(0.1)
    recipe = gw.Recipe(base=str(base), techniques=[smoothing], training=TRAINING)
    _, _, found = made(recipe, tmp_path)
    assert found.plan.techniques[0] is smoothing
