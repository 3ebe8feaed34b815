"""`graft fit --cluster` on two local nodes of Ray: the model of one process, whatever is killed on the way."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from clusters import Started, nodes
from command import topics
from graftwork.model import load
from graftwork.networks.manifest import is_model
from processes import until
from tiny import tiny_rows

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

NEW = [text for text, _ in tiny_rows(99)][60:]
FIT = ["--target", "label", "--base", "cnn:width=8,dropout=0", "--with", "none", "--set", "precision=fp32"]
FIT += ["--set", "batch=8"]
SHORT = ("--set", "steps=160", "--set", "evaluations=16")
ENDLESS = ("--set", "steps=100000", "--set", "evaluations=1000")
TRAINERS = ("ray::RayTrainWorker", "ray::Trainer", "ray::TrainController", "ray::Mailbox")
"""What a fit starts on a cluster."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    caches = {at: {"GRAFTWORK_CACHE": str(tmp_path_factory.mktemp(f"cache-{at}"))} for at in range(2)}
    with nodes(2, of_each=caches) as started:
        yield started


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return topics(tmp_path_factory.mktemp("table") / "t.csv", 80)


class Called:
    """`graft fit` in a process of its own; without a cluster by one process."""

    def __init__(
        self, table: Path, out: Path, *more: str, on: Started | None = None, length: Sequence[str] = SHORT
    ) -> None:
        self.out, self.on = out, on
        command = [sys.executable, "-m", "graftwork.cli", "fit", str(table), *FIT, *length, "--out", str(out), *more]
        self.process = subprocess.Popen(
            command if on is None else [*command, "--cluster", on.address],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"} | ({} if on is None else on.environment),
            start_new_session=True,
        )

    def workers(self) -> list[int]:
        assert self.on is not None
        return sorted(self.on.named("ray::RayTrainWorker"))

    def has_checkpoint(self) -> bool:
        """On this side: it came from worker 0."""
        return (self.out / ".work" / "run" / "checkpoint.safetensors").exists()

    def ended(self) -> tuple[int, str]:
        """Exit code, and what was said on stderr."""
        said = self.process.communicate(timeout=1500)[1]
        assert "Traceback" not in said, said
        return self.process.returncode, said

    def is_over(self) -> bool:
        return self.process.poll() is not None


@pytest.fixture(scope="module")
def undisturbed(table: Path, tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    """What the model of one process says of new texts."""
    out = tmp_path_factory.mktemp("one") / "r"
    code, said = Called(table, out).ended()
    assert code == 0, said
    return said_by(out)


def said_by(out: Path) -> np.ndarray:
    found = load(out).predict_proba(NEW)
    assert isinstance(found, np.ndarray)
    return found


def nothing_is_left(cluster: Started) -> bool:
    return until(lambda: not any(map(cluster.named, TRAINERS)), 120)


def test_the_model_is_that_of_one_process(
    cluster: Started, table: Path, undisturbed: np.ndarray, tmp_path: Path
) -> None:
    called = Called(table, tmp_path / "r", on=cluster)
    code, said = called.ended()
    assert code == 0, said
    assert np.abs(said_by(called.out) - undisturbed).max() < 1e-4
    assert "run: 2 workers: 1 on " in said
    assert "run: 2 workers on 2 machines made" in said
    told = json.loads((called.out / "metrics.json").read_text())["workers"]
    assert [(one["run"], one["worker"]) for one in told] == [("run", 0), ("run", 1)]
    assert len({one["node"] for one in told}) == 2
    assert all(one["cpu_seconds"] > 0 and 0 < one["reducing"] < one["wall_seconds"] for one in told)
    report = (called.out / "report.html").read_text()
    assert all(one["node"] in report for one in told)
    assert not (called.out / ".work").exists()
    assert nothing_is_left(cluster)


def test_a_worker_is_killed(cluster: Started, table: Path, undisturbed: np.ndarray, tmp_path: Path) -> None:
    called = Called(table, tmp_path / "r", on=cluster)
    assert until(lambda: called.has_checkpoint() or called.is_over(), 900)
    os.kill(called.workers()[-1], signal.SIGKILL)
    code, said = called.ended()
    assert code == 0, said
    assert "was lost" in said
    assert "run: all 2 workers go on from the last checkpoint" in said
    assert np.abs(said_by(called.out) - undisturbed).max() < 1e-4


def test_ctrl_c_keeps_the_best_so_far(cluster: Started, table: Path, tmp_path: Path) -> None:
    called = Called(table, tmp_path / "r", on=cluster, length=ENDLESS)
    assert until(lambda: called.has_checkpoint() or called.is_over(), 900)
    called.process.send_signal(signal.SIGINT)
    code, said = called.ended()
    assert code == 130, said
    assert "Stopped: this is the best so far" in said
    assert load(called.out).predict(NEW) is not None
    assert nothing_is_left(cluster)


def test_the_driver_is_killed(cluster: Started, table: Path, undisturbed: np.ndarray, tmp_path: Path) -> None:
    called = Called(table, tmp_path / "r", on=cluster)
    assert until(lambda: called.has_checkpoint() or called.is_over(), 900)
    called.process.kill()
    called.process.communicate()
    assert nothing_is_left(cluster)
    assert not is_model(called.out)
    code, said = Called(table, called.out, "--resume", on=cluster).ended()
    assert code == 0, said
    assert np.abs(said_by(called.out) - undisturbed).max() < 1e-4


def test_a_node_is_lost_and_another_one_comes(table: Path, undisturbed: np.ndarray, tmp_path: Path) -> None:
    with nodes(2) as started:
        called = Called(table, tmp_path / "r", on=started)
        assert until(lambda: called.has_checkpoint() or called.is_over(), 900)
        assert started.tell("kill 1") == "done"
        assert started.tell("add") == "done"
        code, said = called.ended()
    assert code == 0, said
    assert "go on from the last checkpoint" in said
    assert np.abs(said_by(called.out) - undisturbed).max() < 1e-4


def test_what_the_cluster_can_not_hold(cluster: Started, table: Path, tmp_path: Path) -> None:
    code, said = Called(table, tmp_path / "r", "--workers", "3", on=cluster).ended()
    assert code == 1
    assert "There are 3 workers, and the cluster has cores for 2" in said
    assert "Expected at most --workers 2" in said
    assert not (tmp_path / "r").exists()


def test_ten_kills_at_random_moments(cluster: Started, table: Path, undisturbed: np.ndarray, tmp_path: Path) -> None:
    """Of any process that a fit starts on the cluster, also while they start; each fit is killed once, or is over."""
    draw = random.Random(0)
    for at in range(10):
        called = Called(table, tmp_path / f"r{at}", on=cluster)
        assert until(lambda: cluster.named("ray::Trainer") or called.is_over(), 900)  # noqa: B023
        until(called.is_over, draw.uniform(0, 60))
        found = [process for name in TRAINERS for process in cluster.named(name)]
        if found:
            os.kill(draw.choice(found), signal.SIGKILL)
        code, said = called.ended()
        assert code == 0, said
        assert np.abs(said_by(called.out) - undisturbed).max() < 1e-4
    assert nothing_is_left(cluster)
