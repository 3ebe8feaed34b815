"""graftwork.runs.workers.job_files: a job in another process is the job of this one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import graftwork as gw
from graftwork.runs.job.job import Job
from graftwork.runs.single.fingerprint import fingerprint
from graftwork.runs.single.run import make_ready
from graftwork.runs.workers.job_files import read_job, why_not_written, write_job
from jobs import job_of
from tiny import tiny_rows


def frame(rows: int = 90) -> pd.DataFrame:
    found = pd.DataFrame(tiny_rows(rows), columns=["text", "label"])
    found["size"] = np.linspace(-1, 1, rows)
    found["where"] = ["here", "there", "far"] * (rows // 3)
    found["who"] = [f"person {row % 12}" for row in range(rows)]
    found["many"] = [["here"] if row % 3 else ["here", "there"] for row in range(rows)]
    found["when"] = pd.date_range("2020-01-01", periods=rows)
    return found


def again(job: Job, folder: Path) -> Job:
    assert why_not_written(job) == ""
    write_job(job, folder / "job")
    return read_job(folder / "job")


@pytest.mark.parametrize(
    ("target", "task", "more"),
    [
        ("label", "auto", {}),
        ("many", "multilabel", {}),
        ("size", "regression", {}),
        ("size", "quantile-regression", {}),
        (["label", "size"], "auto", {}),
        ("label", "auto", {"roles": {"domain": "where"}}),
        ("label", "auto", {"roles": {"time": "when"}}),
        ("who", "identity", {}),
        ("who", "few-shot:way=2,query=4", {}),
    ],
)
def test_a_run_of_it_is_the_same(target: str, task: str, more: dict[str, object], tmp_path: Path) -> None:
    """By what an unfinished run is known by: rows, targets, and the weights that it begins with."""
    recipe = gw.Recipe(base="cnn:width=8", task=task, techniques=[], training=gw.Training(steps=2, precision="fp32"))
    job = job_of(frame(), recipe, target=target, inputs=["text"], **more)
    other = again(job, tmp_path)
    runs = [make_ready(one, recipe) for one in (job, other)]
    assert fingerprint(recipe, runs[0]) == fingerprint(recipe, runs[1])
    assert runs[0].plan == runs[1].plan
    assert other.metrics == job.metrics
    assert other.tasks == job.tasks
    assert other.train.rows.tolist() == job.train.rows.tolist()
    assert other.train.source == job.train.source


def test_numbers_and_categories_are_read_as_here(tmp_path: Path) -> None:
    recipe = gw.Recipe(base="table-mlp", techniques=[], training=gw.Training(steps=2, precision="fp32"))
    job = job_of(frame(), recipe, target="label", inputs=["size", "where", "when"])
    runs = [make_ready(one, recipe) for one in (job, again(job, tmp_path))]
    assert fingerprint(recipe, runs[0]) == fingerprint(recipe, runs[1])


def test_a_sample_knows_what_it_was_drawn_from(tmp_path: Path) -> None:
    job = job_of(frame(), gw.Recipe(), target="label", inputs=["text"]).sample(30, 0, 5)
    other = again(job, tmp_path)
    assert len(other.train) == len(job.train)
    assert other.in_drawn_order
    assert other.drawn_from is not None
    assert job.drawn_from is not None
    assert other.drawn_from.values("text") == job.drawn_from.values("text")
    whole = again(job_of(frame(), gw.Recipe(), target="label", inputs=["text"]).sample(None, 0), tmp_path / "whole")
    assert whole.drawn_from is whole.train
    assert not whole.in_drawn_order


def test_of_the_test_table_nothing_is_handed_out(tmp_path: Path) -> None:
    job = job_of(frame(), gw.Recipe(), target="label", inputs=["text"], test=frame(30))
    other = again(job, tmp_path)
    assert job.test is not None
    assert other.test is not None
    assert (len(job.test), len(other.test)) == (30, 0)


def test_a_function_stays_in_its_process() -> None:
    def missed(truth: object, given: object) -> float:  # noqa: ARG001
        return 0.0

    job = job_of(frame(), gw.Recipe(metric=missed), target="label", inputs=["text"])
    assert "missed is a function of this process" in why_not_written(job)


def test_a_task_that_would_lose_something_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    job = job_of(frame(), gw.Recipe(), target="label", inputs=["text"])
    task = replace(job.task)
    monkeypatch.setattr(type(task), "state", lambda _: {"classes": ["a", "b"], "type": "text"})
    assert why_not_written(job) == "the task classification can't be handed to other processes as it is"


def test_a_pickle_is_not_read(tmp_path: Path) -> None:
    job = job_of(frame(), gw.Recipe(), target="label", inputs=["text"])
    write_job(job, tmp_path / "job")
    np.save(tmp_path / "job" / "train.npy", np.array([object()]), allow_pickle=True)
    with pytest.raises(ValueError, match="allow_pickle=False"):
        read_job(tmp_path / "job")
