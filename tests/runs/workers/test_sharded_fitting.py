"""`graft fit --workers 2 --set sharded=true` as a user calls it: the model of one process, whatever is killed."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest

from command import graft, topics
from graftwork.model import load
from processes import alive, below, until
from runs.workers.test_workers_fitting import ENDLESS, NEW, Called, said_by
from tiny import tiny_bert

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for processes in /proc")
LENGTH = ["--set", "steps=60", "--set", "evaluations=6"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table, and a base without dropout, of which each worker draws its own."""
    made = tmp_path_factory.mktemp("sharded")
    topics(made / "t.csv", 80)
    tiny_bert(made / "bert", hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    return made


def called(folder: Path, out: Path, *more: str, workers: int = 2, length: list[str] = LENGTH) -> Called:
    fit = ["--target", "label", "--base", str(folder / "bert"), "--with", "full"]
    fit += ["--set", "precision=fp32", "--set", "batch=8"]
    return Called(folder / "t.csv", out, *more, workers=workers, length=length, fit=fit)


@pytest.mark.slow
def test_the_model_is_that_of_one_process_also_where_a_worker_is_killed(folder: Path, tmp_path: Path) -> None:
    code, said = called(folder, tmp_path / "one", workers=1).ended()
    assert code == 0, said
    fit = called(folder, tmp_path / "r", "--set", "sharded=true")
    assert until(fit.has_checkpoint, 600)
    os.kill(fit.workers()[-1], signal.SIGKILL)
    code, said = fit.ended()
    assert code == 0, said
    assert "run: all 2 workers go on from the last checkpoint" in said
    assert "parameters of the base are split over 2 workers" in said
    assert np.abs(said_by(fit.out) - said_by(tmp_path / "one")).max() < 1e-3
    assert "sharded: true" in (fit.out / "recipe.yaml").read_text()
    assert len(json.loads((fit.out / "metrics.json").read_text())["workers"]) == 2


@pytest.mark.slow
def test_ctrl_c_keeps_the_best_so_far(folder: Path, tmp_path: Path) -> None:
    fit = called(folder, tmp_path / "r", "--set", "sharded=true", length=ENDLESS)
    assert until(fit.has_checkpoint, 600)
    started = below(fit.process.pid)
    fit.process.send_signal(signal.SIGINT)
    code, said = fit.ended()
    assert code == 130, said
    assert "Stopped: this is the best so far" in said
    assert load(fit.out).predict(NEW) is not None
    assert until(lambda: not any(map(alive, started)), 30)


@pytest.mark.filterwarnings("ignore:There are")
def test_what_can_t_be_sharded_is_refused_before_anything_starts(folder: Path, tmp_path: Path) -> None:
    bert = ("--target", "label", "--base", folder / "bert", "--set", "sharded=true")
    for command, out in (("fit", ("--out", tmp_path / "r")), ("plan", ())):
        table = (command, folder / "t.csv", *out)
        graft(*table, *bert, "--with", "full").fails(2, "sharded splits the layers .* Add --workers N")
        refused = graft(*table, *bert, "--with", "full", "--with", "ema", "--workers", "2")
        refused.fails(2, "ema can't run with sharded: it .* copy of the network.* Drop it, or leave out sharded")
        cnn = ("--target", "label", "--base", "cnn:width=8", "--with", "none", "--set", "sharded=true")
        graft(*table, *cnn, "--workers", "2").fails(2, r"this base \(convolutional\) has none .* Leave out sharded")
    assert not (tmp_path / "r").exists()


def test_a_plan_says_what_is_sharded_and_what_is_not(folder: Path) -> None:
    plan = ("plan", folder / "t.csv", "--target", "label", "--base", folder / "bert", "--workers", "2")
    said = graft(*plan, "--with", "full", "--set", "sharded=true", "--set", "steps=4").works()
    assert "parameters of the base are split over 2 workers; each holds the other" in said.out
    said = graft(*plan, "--with", "probe", "--set", "sharded=true").works()
    assert "sharded says nothing here: nothing of the base is trained" in said.out
