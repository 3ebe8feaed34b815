"""graftwork.runs.job.job: tables read, checked, split, and held against a task."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
import pytest

import graftwork as gw
from graftwork.errors import DataError, UsageError
from graftwork.evidence.evaluation import Evaluation
from graftwork.recipe import Recipe
from jobs import job_of
from tiny import tiny_rows, tiny_texts


def frame(rows: int = 90) -> pd.DataFrame:
    return pd.DataFrame(tiny_rows(rows), columns=["text", "label"])


def test_rows_are_held_out_by_class() -> None:
    job = job_of(frame(), Recipe(valid_share=0.2))
    assert job.valid is not None
    assert (len(job.train), len(job.valid)) == (72, 18)
    assert {job.valid.values("label").count(name) for name in job.task.classes} == {6}
    assert not set(job.train.rows) & set(job.valid.rows)
    assert job.metrics == {"label": "accuracy"}


def test_the_split_depends_on_the_seed_alone() -> None:
    rows = [tuple(job_of(frame(), Recipe(seed=seed)).train.rows) for seed in (0, 0, 1)]
    assert rows[0] == rows[1] != rows[2]


def test_few_rows_are_not_split() -> None:
    job = job_of(frame(30), Recipe())
    assert job.valid is None
    assert any("none held out" in note for note in job.notes)


def test_groups_stay_together() -> None:
    table = frame().assign(who=[f"p{row // 6}" for row in range(90)])
    job = job_of(table, Recipe(valid_share=0.2), target="label", roles={"group": "who"})
    assert job.valid is not None
    assert not set(job.train.values("who")) & set(job.valid.values("who"))


def test_a_split_column_names_the_parts() -> None:
    table = frame().assign(part=["train"] * 60 + ["validation"] * 20 + ["test"] * 10)
    job = job_of(table, Recipe(), target="label", roles={"split": "part"})
    assert [len(part) for part in (job.train, job.valid or (), job.test or ())] == [60, 20, 10]


def test_tables_of_their_own() -> None:
    job = job_of(frame(), Recipe(), valid=frame(12), test=frame(9))
    assert [len(part) for part in (job.train, job.valid or (), job.test or ())] == [90, 12, 9]
    strange = pd.DataFrame({"text": ["the sea"], "label": ["seaside"]})
    with pytest.raises(DataError, match="seaside"):
        job_of(frame(), Recipe(), valid=strange)


def test_a_metric_of_another_task() -> None:
    with pytest.raises(UsageError, match="rmse"):
        job_of(frame(), Recipe(metric="rmse"))


# --- samples --------------------------------------------------------------------------------------------------------
def unequal() -> pd.DataFrame:
    """200, 90, 10 and 2 rows of four classes."""
    labels = ["a"] * 200 + ["b"] * 90 + ["c"] * 10 + ["d"] * 2
    return pd.DataFrame({"text": tiny_texts(302), "label": labels}).sample(frac=1, random_state=0)


def test_a_sample_is_drawn_by_class() -> None:
    job = job_of(unequal(), Recipe(), valid=unequal())
    small = job.sample(60, seed=0)
    counts = Counter(small.train.values("label"))
    assert [counts[name] for name in "abcd"] == pytest.approx([60 * n / 302 for n in (200, 90, 10, 2)], abs=1)
    assert len(small.train) == 60
    assert set(small.train.rows) <= set(job.train.rows)
    assert small.valid is not None
    assert len(small.valid) == 20
    assert set(small.valid.values("label")) == set("abcd")
    assert small.test is job.test
    assert small.tasks == job.tasks


@pytest.mark.parametrize("rows", [2, 3, 4, 5, 20, 150, 301])
def test_a_sample_never_loses_a_class(rows: int) -> None:
    small = job_of(unequal(), Recipe(), valid=unequal()).sample(rows, seed=1)
    assert set(small.train.values("label")) == set("abcd")
    assert len(small.train) == max(rows, 4)


def test_a_sample_depends_on_the_seed_alone() -> None:
    job = job_of(unequal(), Recipe(), valid=unequal())
    drawn = [tuple(job.sample(60, seed).train.rows) for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_a_sample_of_all_rows_is_the_table() -> None:
    job = job_of(unequal(), Recipe(), valid=unequal())
    assert job.sample(303, seed=0).train is job.train
    assert set(job.sample(302, seed=0).train.rows) == set(job.train.rows)
    assert job.sample(None, seed=0).train is job.train
    assert job.sample(1000, seed=0).valid is job.valid
    assert job_of(frame(30), Recipe()).sample(10, seed=0).valid is None


def test_a_smaller_sample_is_the_beginning_of_a_larger_one() -> None:
    job = job_of(unequal(), Recipe(), valid=unequal())
    large, small = job.sample(200, seed=0), job.sample(60, seed=0)
    assert small.train.rows.tolist() == large.train.rows[:60].tolist()
    assert small.valid is not None
    assert large.valid is not None
    assert small.valid.rows.tolist() == large.valid.rows[:20].tolist()
    few = job.sample(None, seed=0, valid_rows=12)
    assert few.train is job.train
    assert few.valid is not None
    assert few.valid.rows.tolist() == large.valid.rows[:12].tolist()


def test_a_sample_of_numbers() -> None:
    table = pd.DataFrame({"text": tiny_texts(90), "label": np.arange(90) / 7})
    job = job_of(table, Recipe())
    assert len(job.sample(30, seed=0).train) == 30


# --- rows held out --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("rows", "classes", "held"), [(39, 1, False), (40, 1, True), (59, 3, False), (60, 3, True)])
def test_how_many_rows_are_few(rows: int, classes: int, held: bool) -> None:
    """40 rows, and 20 a class."""
    table = frame(rows) if classes == 3 else frame(rows).assign(label=np.arange(rows) / 7)
    assert (job_of(table, Recipe()).valid is not None) == held


def test_a_base_from_scratch_is_always_validated() -> None:
    job = job_of(frame(24), Recipe(base="gru:width=8"))
    assert job.valid is not None
    assert len(job.train) + len(job.valid) == 24


def test_three_rare_rows_of_three_thousand_are_scored() -> None:
    x = np.random.default_rng(0).normal(size=3000)
    table = pd.DataFrame({"x": x, "y": ["common"] * 2997 + ["rare"] * 3})
    job = job_of(table, gw.Recipe(), target="y")
    assert job.valid is not None
    assert job.valid.column("y").to_pylist().count("rare") == 1
    model = gw.fit(table, target="y", recipe=gw.Recipe(techniques=(gw.Probe(),)))
    assert model.report is not None
    found = model.report.evaluations["validation"]
    assert found.scores["macro_f1"].value < 0.6, "the rare row is not found"
    assert found.uncovered == ()
    alone = model.evaluate(table[:2000])
    assert isinstance(alone, Evaluation)
    assert alone.uncovered == ("rare",)
    assert "none of the rows is of the class 'rare'" in repr(alone)
    assert alone.scores["balanced_accuracy"].low < 1.0
