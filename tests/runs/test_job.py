"""graftwork.runs.job: tables read, checked, split, and held against a task."""

from __future__ import annotations

import pandas as pd
import pytest

from graftwork.errors import DataError, UsageError
from graftwork.recipe import Recipe
from graftwork.runs.job import make_job
from tiny import tiny_rows


def frame(rows: int = 90) -> pd.DataFrame:
    return pd.DataFrame(tiny_rows(rows), columns=["text", "label"])


def test_rows_are_held_out_by_class() -> None:
    job = make_job(frame(), Recipe(valid_share=0.2))
    assert job.valid is not None
    assert (len(job.train), len(job.valid)) == (72, 18)
    assert {job.valid.values("label").count(name) for name in job.task.classes} == {6}
    assert not set(job.train.rows) & set(job.valid.rows)
    assert job.metric == "accuracy"


def test_the_split_depends_on_the_seed_alone() -> None:
    rows = [tuple(make_job(frame(), Recipe(seed=seed)).train.rows) for seed in (0, 0, 1)]
    assert rows[0] == rows[1] != rows[2]


def test_few_rows_are_not_split() -> None:
    job = make_job(frame(30), Recipe())
    assert job.valid is None
    assert any("none held out" in note for note in job.notes)


def test_groups_stay_together() -> None:
    table = frame().assign(who=[f"p{row // 6}" for row in range(90)])
    job = make_job(table, Recipe(valid_share=0.2), target="label", roles={"group": "who"})
    assert job.valid is not None
    assert not set(job.train.values("who")) & set(job.valid.values("who"))


def test_a_split_column_names_the_parts() -> None:
    table = frame().assign(part=["train"] * 60 + ["validation"] * 20 + ["test"] * 10)
    job = make_job(table, Recipe(), target="label", roles={"split": "part"})
    assert [len(part) for part in (job.train, job.valid or (), job.test or ())] == [60, 20, 10]


def test_tables_of_their_own() -> None:
    job = make_job(frame(), Recipe(), valid=frame(12), test=frame(9))
    assert [len(part) for part in (job.train, job.valid or (), job.test or ())] == [90, 12, 9]
    strange = pd.DataFrame({"text": ["the sea"], "label": ["seaside"]})
    with pytest.raises(DataError, match="seaside"):
        make_job(frame(), Recipe(), valid=strange)


def test_a_metric_of_another_task() -> None:
    with pytest.raises(UsageError, match="rmse"):
        make_job(frame(), Recipe(metric="rmse"))
