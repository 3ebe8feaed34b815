"""`--workers`: what can't be is said before anything starts, as a user reads it."""

from __future__ import annotations

import json
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

import graftwork as gw
from command import QUICK, graft, topics
from graftwork import threads
from graftwork.errors import UsageError
from graftwork.extend import Technique
from graftwork.runs.listener import Listener, Recorder
from graftwork.runs.workers.channel import DriverEnd
from graftwork.runs.workers.checks import check_here
from graftwork.runs.workers.choice import repeating
from graftwork.runs.workers.over_workers import private_folder
from graftwork.runs.workers.request import CHANNEL
from graftwork.runs.workers.torchrun import environment
from graftwork.techniques.labels.label_smoothing import LabelSmoothing
from tiny import tiny_bert

FIT = ("--target", "label", "--base", "cnn:width=8")


@pytest.mark.parametrize("workers", ["0", "-2"])
def test_a_number_that_can_t_be(workers: str, tmp_path: Path) -> None:
    table = topics(tmp_path / "t.csv")
    for command in (("fit", table, *FIT, "--out", tmp_path / "r"), ("plan", table, *FIT)):
        graft(*command, "--workers", workers).fails(2, f"workers is {workers}. Expected a whole number of 1 or more")
    assert not (tmp_path / "r").exists()


def test_a_number_in_python(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"workers is 2.5"):
        gw.fit(topics(tmp_path / "t.csv"), target="label", workers=2.5, verbose=False)  # type: ignore[arg-type]


@pytest.mark.filterwarnings("ignore:There are")
@pytest.mark.parametrize("command", ["fit", "plan"])
def test_a_technique_of_one_process_is_refused_before_anything_starts(command: str, tmp_path: Path) -> None:
    out = ("--out", tmp_path / "r") if command == "fit" else ()
    named = ("--with", "supervised-contrastive", "--workers", "2")
    ran = graft(command, topics(tmp_path / "t.csv"), *FIT, "--set", "batch=8", *out, *named)
    ran.fails(2, "supervised-contrastive can't run with 2 workers")
    assert not (tmp_path / "r").exists()


@pytest.mark.filterwarnings("ignore:There are")
@pytest.mark.parametrize("command", ["fit", "plan"])
def test_more_workers_than_rows(command: str, tmp_path: Path) -> None:
    out = ("--out", tmp_path / "r") if command == "fit" else ()
    table = topics(tmp_path / "t.csv")
    ran = graft(command, table, *FIT, *QUICK, *out, "--workers", "9")
    ran.fails(2, "there are 9 workers, and a batch has 8 rows", "at most --workers 8", "--set batch=72")
    graft(command, table, *FIT, *QUICK, *out, "--workers", "99").fails(2, "99 workers for 53 training rows")
    assert not (tmp_path / "r").exists()


def test_more_workers_than_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "usable", lambda: 2)
    check_here(2)
    with pytest.warns(UserWarning, match=r"3 workers, and this machine has 2 cores .* at most --workers 2"):
        check_here(3)


def test_a_torch_without_distributed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.distributed.is_available", lambda: False)
    with pytest.raises(UsageError, match=r"no torch.distributed .* Install torch from pypi.org, or leave out"):
        check_here(2)


def test_cores_are_shared_and_modules_are_those_of_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(threads, "usable", lambda: 8)
    monkeypatch.delenv(threads.THREADS, raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    found = environment(3)
    assert found[threads.THREADS] == "2"
    assert str(tmp_path) in found["PYTHONPATH"].split(":")
    assert found["PYTHONSAFEPATH"] == "1"
    assert found["GLOO_SOCKET_IFNAME"].startswith("lo")
    monkeypatch.setenv(threads.THREADS, "5")
    assert environment(3)[threads.THREADS] == "5"


def test_a_run_without_steps_is_made_by_one(tmp_path: Path) -> None:
    """And that is said: there is nothing to share."""
    options = ("--with", "probe", "--workers", "2", "--set", "precision=fp32")
    ran = graft("fit", topics(tmp_path / "t.csv"), *FIT, *options, "--out", tmp_path / "r").works()
    assert "by one process: it makes no steps that workers could share" in ran.err


@pytest.mark.slow
def test_a_technique_that_nobody_named_is_left_to_one_process(tmp_path: Path) -> None:
    """`techniques: auto` takes one for few rows that workers can't share; who names it is told so, and may drop it."""
    base, table = tiny_bert(tmp_path / "base"), topics(tmp_path / "t.csv", 24)
    given = (table, "--target", "label", "--base", base, "--set", "precision=fp32", "--workers", "2")
    reason = "supervised-contrastive compares the rows of a batch"
    assert f"tune: by one process: {reason}" in graft("plan", *given).works().err
    ran = graft("fit", *given, "--out", tmp_path / "r").works()
    assert f"tune: by one process: {reason}" in ran.err
    assert "tune" in ran.err.partition("kept: ")[2].splitlines()[0]
    named = (*given, "--with", "supervised-contrastive", "--out", tmp_path / "n")
    graft("fit", *named).fails(2, "supervised-contrastive can't run with 2 workers: it compares .* leave out --workers")

    metrics = json.loads((tmp_path / "r" / "metrics.json").read_text())
    assert "--recipe" in metrics["command"]
    assert "--workers" not in metrics["command"]  # that would be refused now


def test_the_command_that_repeats_what_one_process_made() -> None:
    command = "graft fit 'a --workers 3.csv' --workers 2 --recipe r.yaml"
    assert repeating(command, by_workers=False) == "graft fit 'a --workers 3.csv' --recipe r.yaml"
    assert repeating("graft fit t.csv --workers=2", by_workers=False) == "graft fit t.csv"
    assert repeating(command, by_workers=True) == command
    assert repeating(None, by_workers=False) is None


@dataclass(frozen=True)
class Ours(LabelSmoothing):
    """A technique of this module, as a program of a user has it."""

    name: ClassVar[str] = "ours"


@dataclass(frozen=True)
class Named(LabelSmoothing):
    """One that is called like another one, whose place it would lose in a worker."""


@pytest.mark.parametrize("technique", [Ours(0.1), Named(0.1)])
def test_what_a_program_has_made_stays_in_it(technique: Technique, tmp_path: Path) -> None:
    heard = Recorder(Listener())
    recipe = gw.Recipe(base="cnn:width=8", techniques=[technique], training=gw.Training(steps=2, precision="fp32"))
    model = gw.fit(topics(tmp_path / "t.csv"), target="label", recipe=recipe, workers=2, listener=heard)
    assert model.report is not None
    assert model.report.workers == ()
    reason = "was made by this program, and workers find only what installed packages have"
    assert f"run: by one process: the technique {technique.name} {reason}" in heard.notes


def test_a_request_lies_where_only_this_user_may_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where temporary files lie so deep that no socket could have a name there; nothing is left of it."""
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(deep))
    with private_folder() as folder:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        DriverEnd(folder / CHANNEL).close()
    assert not folder.exists()
    assert not list(deep.iterdir())
