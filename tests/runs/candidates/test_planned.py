"""graftwork.runs.candidates.planned: which recipes the default tries."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import graftwork as gw
from graftwork.errors import UsageError
from graftwork.recipe import from_dict
from graftwork.runs.candidates import planned
from graftwork.runs.job.job import Job
from heard import Ear
from jobs import job_of as job_on
from tiny import tiny_rows


def planned_recipes(job: Job, recipe: gw.Recipe) -> list[tuple[str, gw.Recipe]]:
    """In the usual order, whatever the table of orders says."""
    return planned.planned_recipes(job, recipe, portfolio=())


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


# --- inputs of several kinds ----------------------------------------------------------------------------------------
def mixed(rows: int = 120) -> pd.DataFrame:
    """The numbers decide; the texts are noise."""
    draw = np.random.default_rng(0)
    x = draw.normal(size=rows)
    texts = [f"the {draw.choice(['cat', 'dog', 'rain'])} is here {row}" for row in range(rows)]
    return pd.DataFrame({"text": texts, "x": x, "y": draw.normal(size=rows), "label": np.where(x > 0, "up", "down")})


def test_each_kind_of_input_is_tried_alone(auto: gw.Recipe) -> None:
    recipe = replace(auto, base={"text": str(auto.base)})
    planned = dict(planned_recipes(job_on(mixed(), recipe, target="label"), recipe))
    assert list(planned) == [*PROBES, "texts alone", "numbers and categories alone", "late fusion", "tune"]
    assert planned["texts alone"].inputs == ("text",)
    alone = planned["numbers and categories alone"]
    assert (alone.inputs, alone.base) == (("table",), "columns")
    assert planned["tune"].inputs is None
    assert [technique.name for technique in planned["late fusion"].listed] == ["late", "probe"]
    few = planned_recipes(job_on(mixed(30), recipe, target="label"), recipe)
    assert [name for name, _ in few] == ["probe", "tune"], "nothing could choose"


def test_beside_a_base_from_scratch_the_others_are_tried_alone() -> None:
    recipe = gw.Recipe(base={"text": "cnn:width=8"})
    planned = planned_recipes(job_on(mixed(), recipe, target="label"), recipe)
    assert [name for name, _ in planned] == ["numbers and categories alone", "train"]


def test_what_is_better_alone_is_kept_and_needs_no_other_column(tmp_path: Path) -> None:
    recipe = gw.Recipe(base={"text": "cnn:width=8"}, training=gw.Training(steps=2, batch=8))
    ear = Ear()
    model = gw.fit(mixed(200), target="label", recipe=recipe, listener=ear, out=tmp_path / "m")
    assert "kept: numbers and categories alone; the model does not read text" in ear.notes
    assert model.recipe.inputs == ("table",)
    table = mixed(200).drop(columns=["text", "label"])
    given = gw.load(tmp_path / "m").predict_proba(table)
    assert np.allclose(np.asarray(given), np.asarray(model.predict_proba(mixed(200))), atol=1e-5)
    again = gw.fit(mixed(200), target="label", recipe=from_dict(model.recipe.to_dict()))
    assert np.allclose(np.asarray(again.predict_proba(table)), np.asarray(given), atol=1e-5)


def test_inputs_that_are_not_there_are_refused(auto: gw.Recipe) -> None:
    recipe = replace(auto, inputs=("photo",))
    with pytest.raises(UsageError, match="there is no input 'photo'"):
        job_on(mixed(), recipe, target="label")
    with pytest.raises(UsageError, match="Expected a list of inputs"):
        replace(auto, inputs="text")


@pytest.mark.slow
@pytest.mark.parametrize("target", ["label", "y"])
def test_every_candidate_of_several_kinds_runs(target: str, auto: gw.Recipe) -> None:
    recipe = replace(auto, base={"text": str(auto.base)}, training=gw.Training(steps=2, batch=8))
    model = gw.fit(mixed(), target=target, recipe=recipe)
    assert model.report is not None
    names = [candidate.name for candidate in model.report.candidates]
    assert names == [*PROBES, "texts alone", "numbers and categories alone", "late fusion", "tune"]
