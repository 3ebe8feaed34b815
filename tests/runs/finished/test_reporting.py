"""graftwork.runs.finished.reporting: what the report of a call says is what happened."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

import graftwork as gw
from graftwork.evidence.report import Report
from graftwork.model import Model
from graftwork.runs.clock import Began
from graftwork.runs.crossval import NAME, cross_validate
from graftwork.runs.default import run_all
from graftwork.runs.finished.reporting import make_report
from graftwork.runs.fit import make_model
from graftwork.runs.job.job import Job
from graftwork.runs.single.run import Candidate
from graftwork.runs.workspace import Workspace
from heard import Ear
from jobs import job_of
from tiny import tiny_rows


def frame(rows: int) -> pd.DataFrame:
    """Every fifth row has a wrong topic."""
    table = pd.DataFrame(tiny_rows(rows), columns=["text", "label"])
    table.loc[::5, "label"] = "food"
    return table


class Made(NamedTuple):
    report: Report
    job: Job
    model: Model
    candidates: list[Candidate]
    kept: Candidate


def report_of(table: pd.DataFrame, recipe: gw.Recipe, test: pd.DataFrame | None = None) -> Made:
    """The report of a call that began when the clocks stood at 0, and what it is of."""
    job = job_of(table, recipe, test=test)
    candidates, kept = run_all(job, recipe, Workspace(), Ear(), None)
    model = make_model(job, kept)
    report = make_report(
        job, model, candidates, kept, notes=job.notes, command="graft fit t.csv", began=Began(0.0, 0.0)
    )
    return Made(report, job, model, candidates, kept)


@pytest.fixture(scope="module")
def recipe(base: Path) -> gw.Recipe:
    return gw.Recipe(base=str(base), training=gw.Training(steps=8, batch=16, precision="fp32"))


@pytest.fixture(scope="module")
def made(recipe: gw.Recipe) -> Made:
    return report_of(frame(120), recipe)


def test_costs_add_up_to_the_call(recipe: gw.Recipe) -> None:
    one = replace(recipe, techniques=[gw.Probe()])
    wall, cpu = time.monotonic(), time.process_time()
    report, _, _, candidates, _ = report_of(frame(90), one)
    assert wall <= sum(stage.wall_seconds for stage in report.costs) <= time.monotonic()
    assert cpu <= sum(stage.cpu_seconds for stage in report.costs) <= time.process_time()
    assert [stage.name for stage in report.costs] == ["run", "the rest"]
    assert report.costs[0].wall_seconds == candidates[0].wall
    assert all(stage.wall_seconds >= 0 for stage in report.costs)


@pytest.mark.slow
def test_candidates_are_listed_and_the_kept_one_marked(made: Made) -> None:
    report, _, model, candidates, kept = made
    assert [one.name for one in report.candidates] == [one.name for one in candidates]
    assert [one.name for one in report.candidates if one.kept] == [kept.name]
    for one, candidate in zip(report.candidates, candidates, strict=True):
        assert one.score == candidate.score
        assert one.cpu_seconds == candidate.cpu
        assert one.note == ", ".join(t.name for t in candidate.plan.techniques)
    assert kept.name in report.decision
    assert report.recipe == model.recipe.to_yaml()
    assert kept.name in report.to_html()


def test_the_kept_candidate_is_compared_with_the_others_row_by_row(made: Made) -> None:
    report, job, _, candidates, kept = made
    assert job.valid is not None
    truth = job.task.encode(job.valid.column("label"), "", job.valid.rows)[0]
    right = {one.name: one.predictions["label"].argmax(1) == truth for one in candidates if one.predictions is not None}
    for one in report.candidates:
        if one.kept:
            assert one.behind is None
            continue
        gap, each = one.behind, right[kept.name].astype(float) - right[one.name]
        assert gap is not None
        assert gap.value == pytest.approx(each.mean())
        half = 1.96 * each.std() / len(each) ** 0.5
        assert (gap.low, gap.high) == pytest.approx((each.mean() - half, each.mean() + half), abs=0.06)
        assert ("don't tell it from" in report.decision) or gap.low > 0
    told = report.metrics()["candidates"]
    assert [("kept_is_better_by" in one) for one in told] == [not one.kept for one in report.candidates]
    assert "Kept one better by" in report.to_html()


def test_one_candidate_is_compared_with_none(recipe: gw.Recipe) -> None:
    report, *_ = report_of(frame(90), replace(recipe, techniques=[gw.Probe()]))
    assert [one.behind for one in report.candidates] == [None]
    assert "Kept one better by" not in report.to_html()
    assert report.decision == ""


@pytest.mark.slow
def test_a_metric_of_which_less_is_better_is_shown_as_it_is(recipe: gw.Recipe) -> None:
    report, _, _, candidates, kept = report_of(frame(90), replace(recipe, metric="log_loss", head="mlp:width=8"))
    assert [one.score for one in report.candidates] == [-(one.score or 0.0) for one in candidates]
    assert min(one.score for one in report.candidates) == -(kept.score or 0.0)
    for one in report.candidates:
        if one.behind is not None:
            assert one.behind.value == pytest.approx(one.score + (kept.score or 0.0), abs=1e-6)


def test_the_slowest_rows_are_the_longest(made: Made, base: Path) -> None:
    from transformers import AutoTokenizer

    report, job, *_ = made
    tokenizer = AutoTokenizer.from_pretrained(base)
    assert job.valid is not None
    texts = dict(zip(job.valid.rows.tolist(), job.valid.values("text"), strict=True))
    lengths = {row: len(tokenizer(text)["input_ids"]) for row, text in texts.items()}
    slowest = report.evaluations["validation"].slowest
    assert [one.tokens for one in slowest] == sorted(lengths.values(), reverse=True)[: len(slowest)]
    assert len(slowest) == min(10, len(lengths))
    for one in slowest:
        assert one.tokens == lengths[one.row]
        assert one.text == texts[one.row]
        assert one.truth == frame(120)["label"][one.row - 1]


def test_validation_is_scored_as_the_model_predicts(made: Made) -> None:
    report, job, model, _, kept = made
    assert job.valid is not None
    [split] = report.evaluations
    assert split == "validation"
    rows = frame(120).iloc[job.valid.rows - 1]
    right = float((np.asarray(model.predict(rows)) == rows["label"].to_numpy()).mean())
    assert report.evaluations["validation"].scores["accuracy"].value == pytest.approx(right)
    assert kept.score == pytest.approx(right)


@pytest.mark.slow
def test_warnings_of_the_tables_are_there(recipe: gw.Recipe) -> None:
    one = replace(recipe, techniques=[gw.Probe()])
    table = pd.concat([frame(90), pd.DataFrame({"text": ["the cat is here"] * 2, "label": ["animals", "weather"]})])
    report, *_ = report_of(table, one, test=frame(90).iloc[:9])
    kinds = {warning.kind for warning in report.warnings}
    assert list(report.evaluations) == ["test", "validation"]
    assert any("duplicate" in kind for kind in kinds), kinds
    assert any("conflict" in kind for kind in kinds), kinds
    assert all(warning.message in report.to_html().replace("&#39;", "'") for warning in report.warnings)
    assert report.data["test"].startswith("9 rows")


def test_few_rows_are_scored_by_the_cross_validated_probe(recipe: gw.Recipe) -> None:
    report, job, _, candidates, _ = report_of(frame(30), recipe)
    assert list(report.evaluations) == [NAME]
    truth = job.task.encode(job.train.column("label"), "", job.train.rows)[0]
    right = float((cross_validate(job, recipe)["label"].argmax(1) == truth).mean())
    assert report.headline[1].scores["accuracy"].value == pytest.approx(right)
    assert report.headline[1].rows == 30
    assert [one.name for one in candidates] == ["probe", "tune"]
    assert "tune is kept" in report.decision
    assert "few rows" in report.decision
    assert (report.temperature, report.suspects) == (1.0, ())
    assert NAME in report.to_html()
    assert NAME in report.model_card()


def test_the_files_of_a_call(recipe: gw.Recipe, tmp_path: Path) -> None:
    command = "graft fit train.csv --recipe m/recipe.yaml"
    model = gw.fit(
        frame(90),
        target="label",
        recipe=replace(recipe, techniques=[gw.Probe()]),
        out=tmp_path / "m",
        command=command,
    )
    metrics = json.loads((tmp_path / "m" / "metrics.json").read_text())
    assert metrics["command"] == command
    assert metrics["primary"] == "accuracy"
    assert metrics["candidates"][0]["kept"] is True
    assert set(metrics["seconds"]) == {"run", "the rest"}
    assert metrics["parameters"]["trained"] <= metrics["parameters"]["total"]
    assert metrics["versions"]["graftwork"] == gw.__version__
    assert model.report is not None
    assert model.report.metrics() == metrics
    assert command in (tmp_path / "m" / "report.html").read_text()


def test_a_model_of_nothing_says_so_and_suspects_no_label(recipe: gw.Recipe) -> None:
    table = frame(300)
    table["label"] = np.random.default_rng(0).permutation(table["label"].to_numpy())
    report = report_of(table, replace(recipe, techniques=(gw.Probe(),), head="linear")).report
    assert report.baseline is not None
    assert not report.baseline.beaten
    assert report.suspects == ()
    assert not [one for one in report.warnings if one.kind == "label noise"]
    assert report.metrics()["baseline"]["beaten"] is False


def test_a_model_that_learns_beats_the_commonest_class(made: Made) -> None:
    assert made.report.baseline is not None
    assert made.report.baseline.beaten
    assert made.report.metrics()["baseline"]["name"].startswith("the commonest class")
