"""`--workers`: what can't be is said before anything starts, as a user reads it."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

import graftwork as gw
from command import QUICK, graft, topics
from graftwork import threads
from graftwork.errors import UsageError
from graftwork.runs.workers.channel import DriverEnd
from graftwork.runs.workers.checks import check_here
from graftwork.runs.workers.over_workers import private_folder
from graftwork.runs.workers.request import CHANNEL
from graftwork.runs.workers.torchrun import environment

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
