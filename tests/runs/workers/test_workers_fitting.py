"""`graft fit --workers 2` as a user calls it: the model of one process, whatever is killed on the way."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import graftwork as gw
from command import topics
from graftwork.model import load
from graftwork.networks.manifest import is_model
from processes import alive, below, command_of, until
from tiny import tiny_rows

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for processes in /proc"),
]

NEW = [text for text, _ in tiny_rows(99)][60:]
STEPS = 160
FIT = ["--target", "label", "--base", "cnn:width=8,dropout=0", "--with", "none", "--set", "precision=fp32"]
FIT += ["--set", "batch=8"]
SHORT = ["--set", f"steps={STEPS}", "--set", "evaluations=16"]
ENDLESS = ["--set", "steps=100000", "--set", "evaluations=1000"]


class Called:
    """`graft fit` in a process of its own."""

    def __init__(
        self,
        table: Path,
        out: Path,
        *more: str,
        workers: int = 2,
        length: Sequence[str] = tuple(SHORT),
        fit: Sequence[str] = tuple(FIT),
    ) -> None:
        self.out = out
        command = [sys.executable, "-m", "graftwork.cli", "fit", str(table), *fit, *length, "--out", str(out), *more]
        self.process = subprocess.Popen(
            [*command, "--workers", str(workers)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            start_new_session=True,
        )

    def workers(self) -> list[int]:
        """Those that compute, without torchrun."""
        every = [(one, command_of(one)) for one in below(self.process.pid)]
        return [one for one, called in every if "workers.worker" in called and "distributed.run" not in called]

    def has_checkpoint(self) -> bool:
        return (self.out / ".work" / "run" / "checkpoint.safetensors").exists()

    def ended(self) -> tuple[int, str]:
        """Exit code, and what was said on stderr."""
        said = self.process.communicate(timeout=500)[1]
        assert "Traceback" not in said, said
        return self.process.returncode, said


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return topics(tmp_path_factory.mktemp("table") / "t.csv", 80)


@pytest.fixture(scope="module")
def undisturbed(table: Path, tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    """What the model of one process says of new texts."""
    out = tmp_path_factory.mktemp("one") / "r"
    code, said = Called(table, out, workers=1).ended()
    assert code == 0, said
    return said_by(out)


def said_by(out: Path) -> np.ndarray:
    found = load(out).predict_proba(NEW)
    assert isinstance(found, np.ndarray)
    return found


def test_the_model_is_that_of_one_process(table: Path, undisturbed: np.ndarray, tmp_path: Path) -> None:
    called = Called(table, tmp_path / "r")
    code, said = called.ended()
    assert code == 0, said
    assert np.abs(said_by(called.out) - undisturbed).max() < 1e-4
    assert "run: 2 workers made" in said
    told = json.loads((called.out / "metrics.json").read_text())["workers"]
    assert [(one["run"], one["worker"]) for one in told] == [("run", 0), ("run", 1)]
    assert all(one["cpu_seconds"] > 0 and 0 < one["reducing"] < one["wall_seconds"] for one in told)
    assert "What each worker cost" in (called.out / "report.html").read_text()
    assert not (called.out / ".work").exists()


def test_a_worker_is_killed(table: Path, undisturbed: np.ndarray, tmp_path: Path) -> None:
    called = Called(table, tmp_path / "r")
    assert until(called.has_checkpoint)
    os.kill(called.workers()[-1], signal.SIGKILL)
    code, said = called.ended()
    assert code == 0, said
    assert "was lost" in said
    assert "run: all 2 workers go on from the last checkpoint" in said
    assert np.abs(said_by(called.out) - undisturbed).max() < 1e-4


def test_ctrl_c_keeps_the_best_so_far(table: Path, tmp_path: Path) -> None:
    called = Called(table, tmp_path / "r", length=ENDLESS)
    assert until(called.has_checkpoint)
    started = below(called.process.pid)
    called.process.send_signal(signal.SIGINT)  # to the driver alone, as a terminal does: workers have their own groups
    code, said = called.ended()
    assert code == 130, said
    assert "Stopped: this is the best so far" in said
    assert load(called.out).predict(NEW) is not None
    assert until(lambda: not any(map(alive, started)), 30)


def test_the_driver_is_killed(table: Path, undisturbed: np.ndarray, tmp_path: Path) -> None:
    called = Called(table, tmp_path / "r")
    assert until(called.has_checkpoint)
    started = below(called.process.pid)
    assert len(started) == 3  # torchrun and two workers
    called.process.kill()
    called.process.communicate()
    assert until(lambda: not any(map(alive, started)), 30)
    assert not is_model(called.out)
    code, said = Called(table, called.out, "--resume").ended()
    assert code == 0, said
    assert np.abs(said_by(called.out) - undisturbed).max() < 1e-4


def test_an_error_of_a_worker_is_the_command_s(table: Path, tmp_path: Path) -> None:
    """With weights that grow hundredfold a step: the same words, up to the numbers, as from one process."""
    given = {"lr": 10, "head_lr": 10, "weight_decay": 10, "warmup": 0, "clip": 0}
    diverging = [word for name, value in given.items() for word in ("--set", f"{name}={value}")]
    errors = []
    for workers in (1, 2):
        code, said = Called(table, tmp_path / f"r{workers}", *diverging, workers=workers).ended()
        assert code == 1, said
        errors.append(said.splitlines()[-1].partition(" (")[0])
    assert re.fullmatch(r"error: The (loss|gradient) is not a finite number at step \d+", errors[0])
    assert errors[0] == errors[1]


def test_in_python_with_a_table_in_memory_and_no_folder(undisturbed: np.ndarray) -> None:
    rows = [{"text": text, "label": label} for text, label in tiny_rows(80)]
    training = gw.Training(steps=STEPS, evaluations=16, batch=8, precision="fp32")
    recipe = gw.Recipe(base="cnn:width=8,dropout=0", techniques=[], training=training)
    model = gw.fit(rows, target="label", recipe=recipe, workers=2, verbose=False)
    assert model.report is not None
    assert len(model.report.workers) == 2
    assert np.abs(np.asarray(model.predict_proba(NEW)) - undisturbed).max() < 1e-4


@pytest.mark.timeout(2400)
def test_a_budget_is_kept_by_one_clock(tmp_path: Path) -> None:
    rows = [{"text": text, "label": label} for text, label in tiny_rows(120)]
    recipe = gw.Recipe(base="gru:width=16")
    model = gw.fit(rows, target="label", recipe=recipe, budget=60.0, workers=2, out=tmp_path / "r", verbose=False)
    assert model.report is not None
    assert len(model.report.workers) == 2
    assert load(tmp_path / "r").predict(NEW) is not None


def test_ten_kills_at_random_moments(table: Path, undisturbed: np.ndarray, tmp_path: Path) -> None:
    """Of any worker, also while they start; each fit is killed once, or until it is over."""
    draw = random.Random(0)
    for at in range(10):
        called = Called(table, tmp_path / f"r{at}")
        assert until(called.workers)
        until(lambda called=called: called.process.poll() is not None, draw.uniform(0, 12))  # type: ignore[misc]
        if found := called.workers():
            os.kill(draw.choice(found), signal.SIGKILL)
        code, said = called.ended()
        assert code == 0, said
        assert np.abs(said_by(called.out) - undisturbed).max() < 1e-4
