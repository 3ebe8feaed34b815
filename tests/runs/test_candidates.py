"""graftwork.runs.candidates: which recipes the default tries."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import graftwork as gw
from graftwork.runs.candidates import planned_recipes
from graftwork.runs.job import Job
from jobs import job_of as job_on
from tiny import tiny_rows

PROBES = ["kernel probe", "mlp probe", "linear probe"]


def job_of(rows: int, recipe: gw.Recipe) -> Job:
    return job_on(pd.DataFrame(tiny_rows(rows), columns=["text", "label"]), recipe)


@pytest.fixture(scope="module")
def auto(base: Path) -> gw.Recipe:
    return gw.Recipe(base=str(base))


def test_many_rows_are_probed_and_then_tuned(auto: gw.Recipe) -> None:
    planned = dict(planned_recipes(job_of(120, auto), auto))
    assert list(planned) == [*PROBES, "tune"]
    assert [planned[name].head for name in PROBES] == ["kernel", "mlp", "linear"]
    assert all("layers=3" in planned[name].base for name in PROBES)
    assert [t.name for t in planned["tune"].listed] == ["warm-start", "partial", "label-smoothing"]
    assert planned["tune"].base == auto.base


@pytest.mark.parametrize(("rows", "batch", "epochs"), [(120, 32, 6), (140, 1, 5), (480, 1, 3)])
def test_few_rows_are_passed_over_more_often(auto: gw.Recipe, rows: int, batch: int, epochs: int) -> None:
    recipe = replace(auto, training=gw.Training(batch=batch))  # about nine rows of ten are trained on
    assert dict(planned_recipes(job_of(rows, recipe), recipe))["tune"].training.epochs == epochs


def test_what_the_recipe_names_stays(auto: gw.Recipe) -> None:
    own = replace(
        auto,
        base=f"transformer:layers=2,path={auto.base}",
        head="mlp:width=8",
        training=gw.Training(lr=2e-3, epochs=2, batch=8),
    )
    for rows in (120, 24):
        planned = planned_recipes(job_of(rows, own), own)
        assert [name for name, _ in planned] == ["probe", "tune"]
        for _, recipe in planned:
            assert (recipe.base, recipe.head, recipe.seed) == (own.base, own.head, own.seed)
            assert (recipe.training.lr, recipe.training.epochs, recipe.training.batch) == (2e-3, 2, 8)
            assert recipe.training.steps is None
    steps = replace(auto, training=gw.Training(steps=7))
    assert [r.training.steps for _, r in planned_recipes(job_of(24, steps), steps)] == [7, 7]
    listed = replace(auto, techniques=[gw.Probe()])
    assert planned_recipes(job_of(24, listed), listed) == [("run", listed)]


def test_few_rows_are_tuned_for_at_least_20_steps(auto: gw.Recipe) -> None:
    planned = dict(planned_recipes(job_of(30, auto), auto))
    assert list(planned) == ["probe", "tune"]
    assert [t.name for t in planned["tune"].listed] == ["warm-start", "supervised-contrastive", "refit"]
    assert planned["tune"].training.steps == 20


def test_a_base_from_scratch_is_one_run() -> None:
    recipe = gw.Recipe(base="gru:width=8")
    [(name, one)] = planned_recipes(job_of(30, recipe), recipe)
    assert name == "train"
    assert [t.name for t in one.listed] == ["label-smoothing"]


def test_numbers_are_not_smoothed_or_contrasted(auto: gw.Recipe) -> None:
    texts = [text for text, _ in tiny_rows(90)]
    for rows in (20, 90):
        job = job_on(pd.DataFrame({"text": texts[:rows], "label": np.arange(rows) / 3}), auto)
        names = {t.name for _, recipe in planned_recipes(job, auto) for t in recipe.listed}
        assert (job.valid is None) == (rows == 20)
        assert not names & {"label-smoothing", "supervised-contrastive"}
