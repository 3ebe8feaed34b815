"""graftwork.runs.job.remembered, graftwork.runs.job.old_model: the old task's scores before and after a run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import accuracy_score

import graftwork as gw
from command import graft, write_rows
from graftwork.errors import DataError, GraftworkError, UsageError
from graftwork.runs.fit import plan
from graftwork.runs.job.old_model import old_model
from jobs import job_of
from tiny import tiny_rows

TRAINING = gw.Training(steps=6, batch=16, lr=3e-3, evaluations=1, precision="fp32")


def old_rows(rows: int = 120) -> pd.DataFrame:
    return pd.DataFrame(tiny_rows(rows), columns=["text", "topic"])


def new_rows(rows: int = 90) -> pd.DataFrame:
    """The same texts, told apart by their length."""
    texts = [text for text, _ in tiny_rows(rows)]
    return pd.DataFrame({"text": texts, "length": ["long" if len(text) > 20 else "short" for text in texts]})


@pytest.fixture(scope="module")
def old(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished model of the old task."""
    folder = tmp_path_factory.mktemp("old") / "run"
    recipe = gw.Recipe(base=str(base), techniques=[gw.WarmStart()], training=TRAINING)
    gw.fit(old_rows(), target="topic", recipe=recipe, out=folder, verbose=False)
    return folder


def recipe_on(old: Path, *techniques: gw.Technique, **changes: object) -> gw.Recipe:
    return gw.Recipe(base=str(old), techniques=techniques, training=replace(TRAINING, **changes))  # type: ignore[arg-type]


@pytest.mark.slow
def test_the_old_head_is_scored_before_and_after(old: Path) -> None:
    held = old_rows(48)
    model = gw.fit(new_rows(), target="length", recipe=recipe_on(old, steps=30), remember=held, verbose=False)
    assert model.report is not None
    (found,) = model.report.remembered
    was = gw.load(old)
    assert found.before["accuracy"].value == pytest.approx(accuracy_score(held["topic"], was.predict(held)))

    by_hand = gw.load(old)
    tuned = dict(model.network.encoder("text").named_parameters())
    with torch.no_grad():
        for name, parameter in by_hand.network.encoder("text").named_parameters():
            parameter.copy_(tuned[name])
    after = accuracy_score(held["topic"], by_hand.predict(held))
    assert found.after["accuracy"].value == pytest.approx(after)
    assert found.change.value == pytest.approx(after - found.before["accuracy"].value)
    assert found.change.low <= found.change.value <= found.change.high
    assert after < found.before["accuracy"].value, "this run forgets, or the test shows nothing"
    assert found.sentence in str(model.report.summary)
    assert found.sentence.startswith("The old task 'topic' on 48 rows")


def test_a_frozen_base_forgets_nothing(old: Path) -> None:
    model = gw.fit(new_rows(), target="length", recipe=recipe_on(old, gw.Probe()), remember=old_rows(48), verbose=False)
    assert model.report is not None
    (found,) = model.report.remembered
    assert (found.change.value, found.change.low, found.change.high) == (0.0, 0.0, 0.0)
    assert "nothing was forgotten" in found.sentence


def test_adapters_are_merged_before_the_old_head_is_scored(old: Path) -> None:
    recipe = recipe_on(old, gw.LoRA(rank=2), steps=12)
    model = gw.fit(new_rows(), target="length", recipe=recipe, remember=old_rows(48), verbose=False)
    assert model.report is not None
    (found,) = model.report.remembered
    assert found.before["log_loss"].value != found.after["log_loss"].value


def test_the_old_model_stays_as_it_is(old: Path) -> None:
    before = gw.load(old).predict_proba(old_rows(30))
    gw.fit(new_rows(), target="length", recipe=recipe_on(old), remember=old_rows(30), verbose=False)
    assert np.array_equal(before, gw.load(old).predict_proba(old_rows(30)))


def test_remembering_changes_no_weight(old: Path) -> None:
    plain = gw.fit(new_rows(), target="length", recipe=recipe_on(old), verbose=False)
    asked = gw.fit(new_rows(), target="length", recipe=recipe_on(old), remember=old_rows(30), verbose=False)
    assert np.array_equal(plain.predict_proba(new_rows(30)), asked.predict_proba(new_rows(30)))


def test_several_old_targets_and_the_metric_that_chose(base: Path, tmp_path: Path) -> None:
    table = old_rows().assign(size=[len(text) + at / 7 for at, text in enumerate(old_rows()["text"])])
    recipe = gw.Recipe(base=str(base), techniques=[], training=TRAINING, metric={"topic": "macro_f1"})
    gw.fit(table, target=["topic", "size"], recipe=recipe, out=tmp_path / "two", verbose=False)
    held = table.iloc[:40].copy()
    held.loc[:9, "size"] = np.nan
    model = gw.fit(new_rows(), target="length", recipe=recipe_on(tmp_path / "two"), remember=held, verbose=False)
    assert model.report is not None
    topic, size = model.report.remembered
    assert (topic.target, topic.primary, topic.rows) == ("topic", "macro_f1", 40)
    assert (size.target, size.rows) == ("size", 30)
    assert set(model.report.metrics()["remembered"]) == {"topic", "size"}


def test_less_is_better_of_errors(base: Path, tmp_path: Path) -> None:
    table = old_rows().assign(topic=[float(len(text)) for text in old_rows()["text"]])
    recipe = gw.Recipe(base=str(base), task="regression", techniques=[gw.WarmStart()], training=TRAINING, metric="rmse")
    gw.fit(table, target="topic", recipe=recipe, out=tmp_path / "number", verbose=False)
    recipe = recipe_on(tmp_path / "number", steps=30)
    model = gw.fit(new_rows(), target="length", recipe=recipe, remember=table.iloc[:40], verbose=False)
    assert model.report is not None
    (found,) = model.report.remembered
    assert found.primary == "rmse"
    assert found.after["rmse"].value > found.before["rmse"].value
    assert found.change.value < 0.0, "a larger error is a loss"


def test_it_is_said_at_the_command_line_and_written(old: Path, tmp_path: Path) -> None:
    train = tmp_path / "new.csv"
    new_rows().to_csv(train, index=False)
    held = write_rows(tmp_path / "old_test.csv", tiny_rows(30), ("text", "topic"))
    out = tmp_path / "run"
    quick = ("--with", "none", "--set", "steps=4", "--set", "batch=8", "--set", "precision=fp32")
    ran = graft("fit", train, "--target", "length", "--base", old, "--remember", held, "--out", out, *quick).works()
    assert "The old task 'topic' on 30 rows of" in ran.out + ran.err
    metrics = json.loads((out / "metrics.json").read_text())
    told = metrics["remembered"]["topic"]
    assert (told["primary"], told["rows"], told["model"]) == ("accuracy", 30, str(old))
    assert set(told["before"]) == set(told["after"]) > {"accuracy"}
    assert metrics["summary"]["remembered"] == [
        line for line in metrics["summary"]["remembered"] if "The old task" in line
    ]
    assert "What became of the old task" in (out / "report.html").read_text()
    assert "The old task" in (out / "README.md").read_text()


def test_nothing_is_said_where_nothing_is_asked(old: Path) -> None:
    model = gw.fit(new_rows(), target="length", recipe=recipe_on(old), verbose=False)
    assert model.report is not None
    assert "remembered" not in model.report.metrics()
    assert "old task" not in model.report.to_html()


def test_another_base_is_no_old_model(base: Path) -> None:
    for named in (str(base), "gru:width=8"):
        recipe = gw.Recipe(base=named, techniques=[], training=TRAINING)
        with pytest.raises(UsageError, match=r"--remember asks .* --base runs/old"):
            plan(new_rows(), target="length", recipe=recipe, remember=old_rows(30), verbose=False)


@pytest.mark.parametrize(
    ("held", "error", "words"),
    [
        (old_rows(30).drop(columns="topic"), DataError, "topic"),
        (old_rows(30).drop(columns="text"), DataError, "text"),
        (old_rows(30).assign(topic="planets"), DataError, "planets"),
        (old_rows(30).assign(topic=None), GraftworkError, "topic"),
    ],
)
def test_tables_that_the_old_model_can_not_be_scored_on(
    old: Path, held: pd.DataFrame, error: type[GraftworkError], words: str
) -> None:
    with pytest.raises(error, match=words):
        plan(new_rows(), target="length", recipe=recipe_on(old), remember=held, verbose=False)


def test_an_old_model_of_two_inputs_keeps_the_encoder_that_is_not_trained(tmp_path: Path) -> None:
    both = old_rows().assign(note=[text.split()[0] for text, _ in tiny_rows(120)])
    recipe = gw.Recipe(base={"text": "gru:width=8", "note": "gru:width=6"}, techniques=[], training=TRAINING)
    gw.fit(
        both,
        target="topic",
        inputs=["text", "note"],
        kinds={"note": "text"},
        recipe=recipe,
        out=tmp_path / "two",
        verbose=False,
    )
    recipe = recipe_on(tmp_path / "two")
    schema = job_of(new_rows(), recipe, target="length").train.schema
    found = old_model(recipe, schema, "--remember")
    assert set(found.starts) == {"text"}
    model = gw.fit(new_rows(), target="length", recipe=recipe, remember=both.iloc[:30], verbose=False)
    was, now = found.saved.network, found.on(model.network).network
    assert now.encoder("text") is model.network.encoder("text")
    for name, value in was.encoder("note").state_dict().items():
        assert torch.equal(value, now.encoder("note").state_dict()[name])
