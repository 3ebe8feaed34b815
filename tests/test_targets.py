"""Several targets from the table to the report: trained together, masked where a row lacks one, predicted by target."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import graftwork as gw
from command import graft
from graftwork.data.table import Column, Schema
from graftwork.errors import UsageError
from graftwork.evidence.evaluation import Evaluations
from graftwork.model import Model
from jobs import job_of
from tiny import tiny_bert, tiny_rows

TARGETS = ["topic", "length", "marks"]
QUICK = gw.Training(steps=4, batch=16, precision="fp32", evaluations=1)


def frame(rows: int = 120, lacking: bool = True) -> pd.DataFrame:
    """Texts with a class, a number and several labels, of which many rows lack some."""
    texts = [text for text, _ in tiny_rows(rows)]
    made = pd.DataFrame(
        {
            "text": texts,
            "topic": [topic for _, topic in tiny_rows(rows)],
            "length": [len(text) + 0.5 for text in texts],
            "marks": [["long"] * (len(text) > 20) + ["cat"] * ("cat" in text) for text in texts],
        }
    )
    if lacking:
        made.loc[::4, "topic"] = None
        made.loc[1::4, "length"] = None
        made["marks"] = [None if at % 5 == 2 else value for at, value in enumerate(made["marks"])]
    return made


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bert(tmp_path_factory.mktemp("base") / "bert")


@pytest.fixture(scope="module")
def recipe(base: Path) -> gw.Recipe:
    return gw.Recipe(base=str(base), techniques=(gw.WarmStart(), gw.LabelSmoothing()), training=QUICK)


@pytest.fixture(scope="module")
def fitted(recipe: gw.Recipe, tmp_path_factory: pytest.TempPathFactory) -> tuple[Model, Path]:
    out = tmp_path_factory.mktemp("fitted") / "run"
    return gw.fit(frame(), target=TARGETS, test=frame(40), recipe=recipe, out=out), out


# --- the job --------------------------------------------------------------------------------------------------------
def test_tasks_and_metrics_by_target() -> None:
    job = job_of(frame(), gw.Recipe(), target=TARGETS)
    assert {name: task.name for name, task in job.tasks.items()} == {
        "topic": "classification",
        "length": "regression",
        "marks": "multilabel",
    }
    assert job.metrics == {"topic": "accuracy", "length": "r2", "marks": "micro_f1"}
    assert any(note.startswith("task of length: regression") for note in job.notes)
    own = gw.Recipe(task={"length": "classification"}, metric={"topic": "macro_f1"})
    whole = frame().assign(length=[len(text) for text in frame()["text"]])
    changed = job_of(whole, own, target=TARGETS, on_bad_rows="skip")
    assert changed.tasks["length"].name == "classification"
    assert changed.metrics["topic"] == "macro_f1"
    assert job_of(whole, gw.Recipe(task={"length": "regression"}), ignore=["topic", "marks"]).target == "length"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"task": {"tpoic": "regression"}}, r"--task names 'tpoic'.*topic"),
        ({"metric": {"size": "r2"}}, r"--metric names 'size'"),
        ({"metric": "accuracy"}, r"'accuracy' does not fit the task regression"),
        ({"task": {"topic": "guess"}}, r"Unknown task 'guess'"),
    ],
)
def test_wrong_names(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        job_of(frame(), gw.Recipe(**wrong), target=TARGETS)


def test_every_target_is_validated_in_its_share() -> None:
    job = job_of(frame(240), gw.Recipe(valid_share=0.2), target=TARGETS)
    assert job.valid is not None
    for name in TARGETS:
        held, left = (sum(value is not None for value in part.values(name)) for part in (job.valid, job.train))
        assert held / (held + left) == pytest.approx(0.2, abs=0.04)
    assert set(job.valid.values("topic")) >= set(job.tasks["topic"].classes)
    small = job.sample(60, seed=0)
    assert len(small.train) == 60
    assert set(small.train.values("topic")) >= set(job.tasks["topic"].classes)


def test_the_target_with_the_most_classes_says_whether_rows_are_few(recipe: gw.Recipe) -> None:
    many = frame(100, lacking=False).assign(topic=[f"class {at % 8}" for at in range(100)])
    assert job_of(many, recipe, target=["topic", "length"]).valid is None
    assert job_of(many, recipe, target=["length", "marks"]).valid is not None


# --- the model ------------------------------------------------------------------------------------------------------
def test_predictions_by_target(fitted: tuple[Model, Path]) -> None:
    model, _ = fitted
    texts = frame(8)["text"].tolist()
    found = model.predict(texts)
    assert isinstance(found, dict)
    assert list(found) == TARGETS
    assert set(found["topic"]) <= set(model.tasks["topic"].classes)
    assert found["length"].dtype == np.float64
    assert all(isinstance(value, list) for value in found["marks"])
    shares = model.predict_proba(texts)
    assert isinstance(shares, dict)
    assert {name: values.shape for name, values in shares.items()} == {
        "topic": (8, 3),
        "length": (8, 1),
        "marks": (8, 2),
    }
    rows = frame(8).set_index(pd.Index(range(10, 18)))
    as_frame, by_class = model.predict(rows), model.predict_proba(rows)
    assert isinstance(as_frame, pd.DataFrame)
    assert list(as_frame.columns) == TARGETS
    assert as_frame.index.tolist() == rows.index.tolist()
    assert as_frame["topic"].tolist() == found["topic"].tolist()
    assert isinstance(by_class, dict)
    assert list(by_class["marks"].columns) == ["cat", "long"]


def test_rows_that_can_not_be_read(fitted: tuple[Model, Path]) -> None:
    found = fitted[0].predict(["the cat is here", ""])
    assert isinstance(found, dict)
    assert all(values[1] is None for values in found.values())


def test_what_works_for_one_target_only(fitted: tuple[Model, Path]) -> None:
    model, _ = fitted
    assert model.targets == tuple(TARGETS)
    for name in ("target", "task", "columns"):
        with pytest.raises(UsageError, match="topic, length, marks"):
            getattr(model, name)
    with pytest.raises(UsageError, match="one target"):
        model.predict_rows(["a cat"]).values  # noqa: B018


def test_it_is_the_same_after_saving(fitted: tuple[Model, Path]) -> None:
    model, out = fitted
    again, texts = gw.load(out), frame(20)["text"].tolist()
    first, second = model.predict_proba(texts), again.predict_proba(texts)
    assert all(np.array_equal(first[name], second[name]) for name in TARGETS)
    assert again.temperature.keys() == set(TARGETS)


def test_evaluation_by_target(fitted: tuple[Model, Path]) -> None:
    model, _ = fitted
    found = model.evaluate(frame(40))
    assert isinstance(found, Evaluations)
    plain = found.to_json()
    assert list(plain) == TARGETS
    assert plain["length"]["r2"].keys() == {"value", "low", "high"}
    assert found["topic"].unlabelled == 10
    given = model.predict(frame(40))
    has = frame(40)["topic"].notna()
    assert plain["topic"]["accuracy"]["value"] == pytest.approx((given["topic"] == frame(40)["topic"])[has].mean())
    assert list(model.evaluate(frame(40)[["text", "length"]].dropna())) == ["length"]


# --- the report -----------------------------------------------------------------------------------------------------
def test_the_report_has_a_part_for_each(fitted: tuple[Model, Path]) -> None:
    model, out = fitted
    report = model.report
    assert report is not None
    assert [result.target for result in report.results] == TARGETS
    assert [line.partition(":")[0] for line in report.verdict().splitlines()] == TARGETS
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["primary"] == {"topic": "accuracy", "length": "r2", "marks": "micro_f1"}
    assert list(metrics["scores"]["test"]) == TARGETS
    assert metrics["scores"]["test"]["length"]["r2"]["value"] == pytest.approx(
        report.results[1].evaluations["test"].scores["r2"].value
    )
    page, card = (out / "report.html").read_text(), (out / "README.md").read_text()
    for name in TARGETS:
        assert f"<h3>{name}</h3>" in page
        assert f"### {name}" in card
    for result in report.results:
        assert result.sentence() in card.replace("\\n", " ")


def test_the_mean_of_the_scores_chooses(fitted: tuple[Model, Path]) -> None:
    report = fitted[0].report
    assert report is not None
    scores = [result.evaluations["validation"].scores[result.primary].value for result in report.results]
    assert report.candidates[0].score == pytest.approx(float(np.mean(scores)), abs=1e-6)


# --- heads, techniques and the default ------------------------------------------------------------------------------
@pytest.mark.parametrize("head", ["linear", "mlp:width=8", "kernel"])
def test_every_head_is_solved_on_the_rows_that_have_the_target(head: str, base: Path) -> None:
    """As a model of that target alone has it, on its rows."""
    recipe = gw.Recipe(base=str(base), head=head, techniques=(gw.Probe(l2=0.1),), training=QUICK)
    texts = frame(9)["text"].tolist()
    together = gw.fit(frame(), target=TARGETS, valid=frame(30), recipe=recipe).predict_proba(texts)
    for name in ("topic", "length"):
        rows, held = (part[part[name].notna()][["text", name]] for part in (frame(), frame(30)))
        alone = gw.fit(rows, target=name, valid=held, recipe=recipe, on_bad_rows="skip").predict_proba(texts)
        if head == "linear":
            np.testing.assert_allclose(together[name], alone, rtol=0.02, atol=2e-3)
        else:
            assert together[name].shape == alone.shape


@pytest.mark.slow
def test_the_default_runs_through(base: Path) -> None:
    recipe = gw.Recipe(base=str(base), training=gw.Training(steps=2, batch=16, precision="fp32"))
    model = gw.fit(frame(), target=TARGETS, recipe=recipe)
    assert model.report is not None
    assert len(model.report.candidates) == 4
    few = gw.fit(frame(30), target=TARGETS, recipe=recipe, on_bad_rows="skip")
    assert few.report is not None
    assert all("cross-validation" in next(iter(result.evaluations)) for result in few.report.results)


@pytest.mark.parametrize("technique", [gw.Uncertainty(), gw.PCGrad()])
def test_one_target_has_nothing_to_weigh(technique: Any, base: Path) -> None:
    recipe = gw.Recipe(base=str(base), techniques=(technique,), training=QUICK)
    with pytest.raises(gw.GraftworkError, match=rf"{technique.name} needs several_targets.*use --target once for each"):
        gw.fit(frame(lacking=False), target="topic", ignore=["length", "marks"], recipe=recipe)


# --- several tables and the command line ----------------------------------------------------------------------------
def test_two_tables(recipe: gw.Recipe) -> None:
    topics = frame(60, lacking=False)[["text", "topic"]]
    lengths = frame(80, lacking=False)[["text", "length"]]
    model = gw.fit([topics, lengths], target=["topic", "length"], recipe=recipe)
    assert model.schema == Schema(
        (Column("text", "text"), Column("topic", "category", "target"), Column("length", "number", "target"))
    )
    assert model.report is not None
    assert any("table 2: 80 rows with length" in note for note in model.report.notes)


@pytest.mark.slow
def test_the_command_line(base: Path, tmp_path: Path) -> None:
    whole = frame().drop(columns="marks")
    whole[["text", "topic"]].dropna().to_csv(tmp_path / "a.csv", index=False)
    whole[["text", "length"]].dropna().to_csv(tmp_path / "b.csv", index=False)
    given = ["--target", "topic", "--target", "length", "--base", base, "--set", "steps=2", "--set", "precision=fp32"]
    more = ["--metric", "topic=macro_f1", "--with", "uncertainty", "--with", "target-weights:weights=topic=2"]
    tables = [tmp_path / "a.csv", tmp_path / "b.csv"]
    graft("fit", *tables, *given, *more, "--out", tmp_path / "m").fails(
        2, "target-weights and uncertainty both decide how much each target counts"
    )
    ran = graft("fit", *tables, *given, *more[:4], "--out", tmp_path / "m").works()
    assert "topic: scores with 95 % intervals" in ran.out
    assert "length: scores with 95 % intervals" in ran.out
    whole.head(10).to_csv(tmp_path / "new.csv", index=False)
    graft("predict", tmp_path / "m", tmp_path / "new.csv", "--out", tmp_path / "p.csv", "--proba").works()
    predicted = pd.read_csv(tmp_path / "p.csv")
    assert {"prediction(topic)", "prediction(length)", "reason", "p(topic=food)", "p(length)"} <= set(predicted.columns)
    scores = json.loads(graft("evaluate", tmp_path / "m", tmp_path / "new.csv", "--json").works().out)
    assert scores.keys() == {"topic", "length"}
    graft("export", tmp_path / "m", "--to", "transformers").fails(2, "topic, length", "one target")
    plan = graft("plan", *tables, *given, "--with", "none").works()
    assert "2 of at most 32 rows" in plan.out
