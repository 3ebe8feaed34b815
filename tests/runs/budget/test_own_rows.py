"""graftwork.runs.budget.own_rows: the training rows of one of the runs, and how many a base has time for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import graftwork as gw
from graftwork.data.table import Table
from graftwork.runs.budget.own_rows import fewest, job_of, on_rows, rows_in_time, with_train
from graftwork.runs.job.job import Job
from jobs import job_of as job_on


def numbers(table: Table | None) -> list[int]:
    assert table is not None
    return [int(row) for row in table.rows]


@pytest.fixture(scope="module")
def job() -> Job:
    table = pd.DataFrame([(f"text {at}", "abcdefgh"[at % 8]) for at in range(400)], columns=["text", "label"])
    return job_on(table, gw.Recipe(base="gru"))


def test_fewer_rows_are_the_beginning_of_more_and_the_same_rows_validate(job: Job) -> None:
    large, small = (job_of(job, on_rows(job, gw.Recipe(), rows)) for rows in (200, 50))
    assert numbers(large.train)[:50] == numbers(small.train)
    assert set(numbers(large.train)) < set(numbers(job.train))
    assert large.valid is small.valid is job.valid
    assert large.in_drawn_order


def test_a_recipe_with_these_rows_repeats_them(job: Job) -> None:
    """As `fit` draws the rows of a recipe that names how many."""
    recipe = on_rows(job, gw.Recipe(seed=3), 50)
    drawn, own = job.sample(recipe.rows, recipe.seed, recipe.valid_rows), job_of(job, recipe)
    assert numbers(drawn.train) == numbers(own.train)
    assert sorted(numbers(drawn.valid)) == sorted(numbers(own.valid))


def test_fewer_rows_of_a_sample_are_its_beginning(job: Job) -> None:
    sample = job.sample(120, 0)
    assert numbers(job_of(sample, gw.Recipe(rows=50)).train) == numbers(sample.train)[:50]
    assert job_of(sample, gw.Recipe(rows=120)) is sample
    assert job_of(sample, gw.Recipe(rows=999)) is sample


def test_all_rows_by_number_stand_as_they_are_drawn(job: Job) -> None:
    """A pass that came to all of them read them in this order."""
    rows = len(job.train)
    own = job_of(job, gw.Recipe(rows=rows))
    assert numbers(own.train) == numbers(job.sample(rows, 0).train)
    assert job_of(job, gw.Recipe()) is job
    assert job_of(job, gw.Recipe(rows=rows + 1)) is job, "as `Job.sample` leaves them"


def test_every_class_keeps_a_row(job: Job) -> None:
    assert len(with_train(job, 2, 0).train) == 8
    assert len(np.unique(with_train(job, 2, 0).train.column("label").to_pylist())) == 8


def test_as_many_rows_as_there_is_time_for_beside_those_that_validate(job: Job) -> None:
    rows, held = len(job.train), len(job.valid or ())
    assert rows_in_time(job, 0.1, 0.1 * (held + 250)) in (249, 250)
    assert rows_in_time(job, 0.1, 1e6) == rows
    assert rows_in_time(job, 0.1, 0.1 * (held + 150)) == 0
    assert fewest(job) == 200


def test_many_classes_need_more_rows_and_few_rows_are_enough_whole(job: Job) -> None:
    many = pd.DataFrame([(f"text {at}", f"c{at % 60}") for at in range(960)], columns=["text", "label"])
    assert fewest(job_on(many, gw.Recipe(base="gru"))) == 8 * 60
    assert fewest(replace(job, train=job.train.take(np.arange(30)))) == 30
