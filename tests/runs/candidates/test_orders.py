"""graftwork.runs.candidates: which order of candidates holds for a job, and what it makes of its names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import graftwork as gw
from graftwork.runs.budget.planning import planned
from graftwork.runs.candidates import other
from graftwork.runs.candidates.orders import EACH_KIND, Line, Situation, Span, order_of
from graftwork.runs.candidates.other import FINE_TUNES, PLAIN_HEADS
from graftwork.runs.candidates.planned import planned_recipes, situation_of
from graftwork.runs.candidates.usual import usual_recipes
from graftwork.runs.fit import fit_data
from graftwork.runs.job.data_arguments import DataArguments
from graftwork.runs.job.job import Job
from heard import Ear
from jobs import job_of
from tiny import tiny_rows
from tinyrun import Killed


@pytest.fixture(scope="module")
def auto(base: Path) -> gw.Recipe:
    return gw.Recipe(base=str(base))


def texts(rows: int = 120) -> pd.DataFrame:
    return pd.DataFrame(tiny_rows(rows), columns=["text", "label"])


def numbers(rows: int = 900, *, classes: bool = True) -> pd.DataFrame:
    draw = np.random.default_rng(0)
    x, y = draw.normal(size=rows), draw.normal(size=rows)
    return pd.DataFrame({"x": x, "y": y, "label": np.where(x + y > 0, "up", "down") if classes else x + y})


def mixed(rows: int = 120) -> pd.DataFrame:
    return texts(rows).assign(x=np.random.default_rng(0).normal(size=rows))


LINES = (
    Line(kind="text", order=("a",), up_to=35, classes=Span(0, 20)),
    Line(kind="text", order=("b",), rows=Span(500), language="other"),
    Line(kind="text", order=("d",)),
)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (Situation("text", 100, budget=35), ("a",)),
        (Situation("text", 100, classes=21, budget=35), ("d",)),
        (Situation("text", 100, classes=20, budget=36), ("d",)),
        (Situation("text", 500, language="other"), ("b",)),
        (Situation("text", 499, language="other"), ("d",)),
        (Situation("text", 500, language="English"), ("d",)),
        (Situation("image", 500), None),
    ],
)
def test_the_first_line_whose_conditions_all_hold_is_taken(found: Situation, expected: tuple[str, ...] | None) -> None:
    assert order_of(LINES, found) == expected


def test_the_situation_is_that_of_the_rows(auto: gw.Recipe) -> None:
    job = job_of(texts(), auto)
    assert situation_of(job, auto, 60.0, ()) == Situation("text", len(job.train), 3, budget=60.0)
    table = [Line(kind="text", order=(), language="other")]
    assert situation_of(job, auto, None, table).language == "English"
    several = job_of(mixed(), auto, target="label")
    assert situation_of(several, auto, None, ()).kind == "several"
    assert situation_of(job_of(numbers(classes=False), gw.Recipe()), gw.Recipe(), None, ()).classes == 0


def test_an_order_chooses_and_sorts_what_is_tried(auto: gw.Recipe) -> None:
    job = job_of(texts(), auto)
    usual = dict(usual_recipes(job, auto))
    order = ("tune", "no such thing", "tune, half the blocks", "linear probe")
    made = planned_recipes(job, auto, portfolio=[Line(kind="text", order=order)])
    front = next(iter(usual))  # a call has a model within seconds, whatever can't be made of what a line names
    assert [name for name, _ in made] == [front, "tune", "tune, half the blocks", "linear probe"]
    assert made[1][1] == usual["tune"]
    assert made[3][1] == usual["linear probe"]
    nothing = planned_recipes(job, auto, portfolio=[Line(kind="text", order=("boosting",))])
    assert nothing == list(usual.items())
    assert planned_recipes(job, auto, portfolio=()) == list(usual.items())


def test_a_budget_picks_its_line(auto: gw.Recipe) -> None:
    job = job_of(texts(), auto)
    table = [Line(kind="text", order=("linear probe",), up_to=35), Line(kind="text", order=("mlp probe",))]
    assert [name for name, _ in planned_recipes(job, auto, 35, table)] == ["linear probe"]
    assert [name for name, _ in planned_recipes(job, auto, 36, table)] == ["mlp probe"]
    assert [name for name, _ in planned_recipes(job, auto, None, table)] == ["mlp probe"]


def test_each_kind_alone_stands_for_as_many_runs_as_there_are_kinds(auto: gw.Recipe) -> None:
    recipe = replace(auto, base={"text": str(auto.base)})
    job = job_of(mixed(), recipe, target="label")
    made = planned_recipes(job, recipe, portfolio=[Line(kind="several", order=(EACH_KIND, "late fusion"))])
    assert [name for name, _ in made] == ["texts alone", "numbers and categories alone", "late fusion"]


@pytest.mark.parametrize("budget", [None, 10.0, 60.0, 300.0])
def test_where_a_table_does_not_fit_the_usual_order_stays(auto: gw.Recipe, budget: float | None) -> None:
    table = [Line(kind=kind, order=("linear probe",)) for kind in ("text", "table", "several")]
    scratch = gw.Recipe(base="gru:width=8")
    jobs: list[tuple[Job, gw.Recipe]] = [
        (job_of(texts(24), auto), auto),
        (job_of(texts(), replace(auto, head="mlp")), replace(auto, head="mlp")),
        (job_of(texts(), scratch), scratch),
        (job_of(numbers(200), gw.Recipe()), gw.Recipe()),
    ]
    for job, recipe in jobs:
        assert planned_recipes(job, recipe, budget, table) == usual_recipes(job, recipe)
    own = replace(auto, techniques=[gw.Probe()])
    assert planned_recipes(jobs[0][0], own, budget, table) == [("run", own)]


@pytest.mark.parametrize("name", FINE_TUNES)
def test_every_other_fine_tune_trains(name: str, auto: gw.Recipe) -> None:
    recipe = replace(auto, training=gw.Training(steps=2, batch=8))
    ear = Ear()
    table = [Line(kind="text", order=("linear probe", name))]
    model = fit_data(DataArguments(train=texts()), recipe, listener=ear, portfolio=table)
    assert model.report is not None
    assert [one.name for one in model.report.candidates] == ["linear probe", name], ear.notes


def test_what_the_base_refuses_is_left_out_and_said(auto: gw.Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_many(_: Job, recipe: gw.Recipe) -> gw.Recipe:
        return replace(recipe, techniques=(gw.Partial(60),))

    monkeypatch.setitem(FINE_TUNES, "tune, 60 blocks", too_many)
    table, ear = [Line(kind="text", order=("linear probe", "tune, 60 blocks"))], Ear()
    assert [name for name, _ in planned(job_of(texts(), auto), auto, ear, portfolio=table)] == ["linear probe"]
    model = fit_data(DataArguments(train=texts()), auto, listener=ear, portfolio=table)
    assert model.report is not None
    assert [one.name for one in model.report.candidates] == ["linear probe"]
    said = [note for note in ear.notes if note.startswith("tune, 60 blocks: left out.")]
    assert len(said) == 2
    assert all("blocks is 60" in note for note in said)


@pytest.mark.slow
def test_a_resumed_call_with_another_budget_keeps_its_order(auto: gw.Recipe, tmp_path: Path) -> None:
    table = [Line(kind="text", order=("linear probe", "tune"), up_to=500), Line(kind="text", order=("kernel probe",))]
    given = {"recipe": replace(auto, training=gw.Training(steps=4, batch=8)), "out": tmp_path / "out"}
    data, ear = DataArguments(train=texts()), Ear()
    with pytest.raises(Killed):
        fit_data(data, **given, budget=400, portfolio=table, listener=Ear(stop="tune", step=2, error=Killed))
    model = fit_data(data, **given, budget=1000, portfolio=table, resume=True, listener=ear)
    assert model.report is not None
    assert [one.name for one in model.report.candidates] == ["linear probe", "tune"]
    assert ("tune", 1) not in ear.steps


@pytest.mark.parametrize("order", [("probe of 60 blocks", "linear probe"), ("linear probe", "probe of 60 blocks")])
def test_a_budget_goes_by_what_is_not_refused(
    order: tuple[str, ...], auto: gw.Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = (gw.Probe(), gw.Partial(60))
    monkeypatch.setitem(FINE_TUNES, "probe of 60 blocks", lambda _, recipe: replace(recipe, techniques=made))
    table, ear = [Line(kind="text", order=order)], Ear()
    model = fit_data(DataArguments(train=texts()), auto, budget=1000, listener=ear, portfolio=table)
    assert model.report is not None
    assert [one.name for one in model.report.candidates] == ["linear probe"]
    (said,) = [note for note in ear.notes if note.startswith("probe of 60 blocks: left out.")]
    assert "partial" in said


def test_other_fine_tunes_keep_what_the_user_sets_and_differ_in_the_rest(auto: gw.Recipe) -> None:
    job = job_of(texts(), auto)
    usual = dict(usual_recipes(job, auto))["tune"]
    made = {name: other.candidate(job, auto, name, {"tune": usual}) for name in FINE_TUNES}
    assert len({repr(one) for one in [usual, *made.values()]}) == len(made) + 1
    longer = made["tune, twice as long"]
    assert longer is not None
    assert longer.training.epochs == 2 * (usual.training.epochs or 0)
    twice = made["tune, twice the blocks"]
    assert twice is not None
    assert twice.training.lr == (usual.training.lr or 0) / 2
    assert gw.Partial(4) in twice.listed
    own = replace(auto, training=gw.Training(lr=2e-3, epochs=2))
    for name in FINE_TUNES:
        one = other.candidate(job, own, name, {"tune": usual})
        assert one is not None
        assert (one.training.lr, one.training.epochs) == (2e-3, 2)


@pytest.mark.parametrize("classes", [True, False])
def test_heads_on_plain_numbers_run(classes: bool) -> None:
    table = [Line(kind="table", order=tuple(PLAIN_HEADS))]
    model = fit_data(DataArguments(train=numbers(classes=classes)), gw.Recipe(), portfolio=table)
    assert model.report is not None
    assert [one.name for one in model.report.candidates] == list(PLAIN_HEADS)
    assert "standard" in str(model.recipe.base)


def test_another_base_is_tried_only_where_the_user_named_none() -> None:
    free, named = gw.Recipe(), gw.Recipe(base="minilm")
    order = ("linear probe", "train on cnn", "linear probe on cnn", "linear probe on columns", "tune on nothing")
    for recipe, expected in ((free, ["linear probe", "train on cnn"]), (named, ["linear probe"])):
        job = job_of(texts(), recipe)
        settled = replace(recipe, base=job.bases.named)
        table = [Line(kind="text", order=order)]
        assert [name for name, _ in planned_recipes(job, settled, portfolio=table)] == expected


def test_the_language_is_told_as_the_choice_of_a_base_tells_it() -> None:
    recipe = gw.Recipe(base="cnn:width=8")
    german = pd.DataFrame({"text": ["das ist nicht gut und ich weiß", "der Hund ist auf dem Dach"] * 60})
    job = job_of(german.assign(label=["a", "b"] * 60), recipe)
    asks = [Line(kind="text", order=(), language="other")]
    assert situation_of(job, recipe, None, asks).language == "other"
