"""graftwork.runs.finished.tuned_by_reward: what the report of a run with a reward says of where it began."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import graftwork as gw
from command import graft, topics
from graftwork.core.rows.examples import prepare
from graftwork.core.scoring import predict_examples
from graftwork.runs.finished.results import held_out_parts
from graftwork.runs.finished.tuned_by_reward import told_curves, tuned_by_reward
from graftwork.runs.job.job import Job
from graftwork.runs.listener import Listener
from graftwork.runs.single.model_from_run import make_model
from graftwork.runs.single.run import Candidate, run_single
from graftwork.runs.workspace import Workspace
from jobs import job_of
from tiny import tiny_rows

BASE = "gru:width=8,layers=1"
COSTS = "true,animals,food,weather\nanimals,0,1,1\nfood,9,0,1\nweather,1,1,0\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "costs.csv").write_text(COSTS)
    return tmp_path


def finished(frame: pd.DataFrame, reward: str, **data: object) -> tuple[Job, Candidate]:
    training = gw.Training(steps=12, batch=8, lr=0.02, evaluations=2, precision="fp32")
    recipe = gw.Recipe(base=BASE, techniques=[reward], training=training)
    job = job_of(frame, recipe, target="topic", **data)
    return job, run_single(job, recipe, name="run", workspace=Workspace(), listener=Listener())


@pytest.mark.usefixtures("here")
def test_the_scores_before_are_those_of_the_network_that_the_reward_began_from() -> None:
    frame = pd.DataFrame(tiny_rows(90), columns=["text", "topic"])
    job, kept = finished(frame, "reward:costs=costs.csv,warm=0.5,weight=5,mix=0", test=frame.head(30))
    assert kept.starting is not None
    model = make_model(job, kept)
    (found,), _ = tuned_by_reward(job, model, kept, held_out_parts(job, model, kept))
    assert (found.split, found.rows, found.called) == ("test", 30, "costs.csv")
    examples = prepare(job.test, kept.starting.network, job.tasks, kept.recipe.text)
    truth, _ = job.tasks["topic"].encode_rows(job.test, "topic")
    matrix = np.array([[0, 1, 1], [9, 0, 1], [1, 1, 0]])
    for network, cost in ((kept.starting.network, found.reward.before), (model.network, found.reward.after)):
        logits = predict_examples(network, examples)["topic"]
        assert cost.value == pytest.approx(matrix[truth, logits.argmax(axis=1)].mean())
        accuracy = next(one for one in found.usual if one.after.metric.name == "accuracy")
        own = accuracy.before if network is kept.starting.network else accuracy.after
        assert own.value == pytest.approx((logits.argmax(axis=1) == truth).mean())
    assert {series.name for series in told_curves(kept)} == {"reward topic", "entropy topic"}


@pytest.mark.slow
def test_the_report_says_it_and_a_plain_run_says_nothing(here: Path) -> None:
    (here / "brevity.py").write_text("def short(predictions, rows):\n    return [-len(one) for one in predictions]\n")
    table = topics(here / "rows.csv", 90)
    fit = ("fit", table, "--base", BASE, "--set", "steps=8", "--set", "batch=8")
    ran = graft(*fit, "--with", "reward:call=brevity:short,warm=2,mix=0.1,kl=0.01", "--out", "m").works()
    assert "Reward (brevity:short), which was rewarded, went from" in ran.out
    told = json.loads((here / "m" / "metrics.json").read_text())["tuned"]["target"]
    assert told["split"] == "validation"
    assert set(told["usual"]) >= {"accuracy", "log_loss"}
    shown = (here / "m" / "report.html").read_text()
    for words in ("What the reward brought", "Reward label, on the rows", "Kl label, on the rows", "Entropy label"):
        assert words in shown
    graft(*fit, "--with", "none", "--out", "plain").works()
    assert "tuned" not in json.loads((here / "plain" / "metrics.json").read_text())


def test_a_function_that_fails_on_held_out_rows_costs_no_model(here: Path) -> None:
    (here / "strict.py").write_text(
        "def known(predictions, rows):\n"
        "    assert not any('unheard' in row['text'] for row in rows), 'a word that I do not know'\n"
        "    return [float(len(one)) for one in predictions]\n"
    )
    table, test = topics(here / "rows.csv", 90), here / "test.csv"
    test.write_text("text,label\nan unheard word,food\nrain and wind,weather\n")
    fit = ("fit", table, "--test", test, "--base", BASE, "--set", "steps=4", "--set", "batch=8")
    ran = graft(*fit, "--with", "reward:call=strict:known,warm=0", "--out", "m").works()
    told = json.loads((here / "m" / "metrics.json").read_text())
    assert not told.get("tuned")
    assert "What the reward brought is not measured on test rows. reward: strict:known failed on 2" in ran.out
    assert "not measured on test rows" in (here / "m" / "report.html").read_text()


@pytest.mark.usefixtures("here")
def test_a_run_that_ends_before_the_reward_acts_says_so() -> None:
    frame = pd.DataFrame(tiny_rows(60), columns=["text", "topic"])
    notes = list[str]()

    class Notes(Listener):
        def note(self, text: str) -> None:
            notes.append(text)

    training = gw.Training(steps=12, batch=8, lr=1e-9, evaluations=12, patience=1, precision="fp32")
    recipe = gw.Recipe(base=BASE, techniques=["reward:warm=0.9"], training=training)
    job = job_of(frame, recipe, target="topic")
    kept = run_single(job, recipe, name="run", workspace=Workspace(), listener=Notes())
    assert kept.starting is None
    assert any("before a reward began to act" in note for note in notes)
