"""`graft tune` and `graft ablate` on two local nodes of Ray: as without it, also where workers and nodes are killed."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from clusters import Started, nodes
from command import topics

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
KILLS = 10
"""Workers that are killed in one call, at random moments."""
AT_MOST = 2
"""Under the same piece of work: at the third loss without a step more, the piece would be said to be at fault."""
TUNE = ["--base", "gru:width=16", "--set", "epochs=4", "--try-with", "mixup", "--folds", "1", "--trials", "7"]
LONG = ["--base", "gru:width=32", "--set", "epochs=60", "--try-with", "mixup", "--folds", "1", "--trials", "19"]
ABLATE = ["--base", "gru:width=16", "--set", "steps=600", "--with", "mixup", "--with", "ema", "--repeats", "3"]


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return topics(tmp_path_factory.mktemp("rows") / "rows.csv", 300)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    caches = {at: {"GRAFTWORK_CACHE": str(tmp_path_factory.mktemp(f"cache-{at}"))} for at in range(2)}
    with nodes(2, of_each=caches) as started:
        yield started


def begin(home: Path, environment: dict[str, str], *words: str | Path) -> subprocess.Popen[str]:
    """`graft` in a process group of its own. home: its finished runs."""
    return subprocess.Popen(
        [sys.executable, "-m", "graftwork.cli", *map(str, words)],
        env={**os.environ, **environment, "GRAFTWORK_HOME": str(home), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def trials(out: Path) -> list[Any]:
    """What each trial came to, without what a clock says."""
    told = [json.loads(path.read_text()) for path in sorted((out / "tune" / "trials").glob("*/trial.json"))]
    return [[one[name] for name in ("number", "name", "state", "rungs", "recipe", "params")] for one in told]


def kill_some(cluster: Started, running: subprocess.Popen[str], seed: int) -> int:
    """Kill -9 workers at random moments while a call runs. Gives how many."""
    draw, killed = random.Random(seed), list[str]()
    while running.poll() is None and len(killed) < KILLS:
        time.sleep(draw.uniform(0.5, 4.0))
        found = [(pid, piece) for pid, piece in cluster.workers().items() if killed.count(piece) < AT_MOST]
        if found:
            pid, piece = draw.choice(found)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                killed.append(piece)
    return len(killed)


def ended(running: subprocess.Popen[str]) -> tuple[str, str]:
    out, err = running.communicate(timeout=900)
    assert running.returncode == 0, err
    return out, err


def test_a_tune_ends_as_here_though_workers_are_killed(rows: Path, cluster: Started, tmp_path: Path) -> None:
    words = ["tune", rows, "--target", "label", *LONG]
    ended(begin(tmp_path / "home", {}, *words, "--out", tmp_path / "here"))
    there = ["--out", tmp_path / "there", "--cluster", cluster.address]
    running = begin(tmp_path / "home", cluster.environment, *words, *there)
    killed = kill_some(cluster, running, 1)
    _, err = ended(running)
    assert trials(tmp_path / "there") == trials(tmp_path / "here")
    assert (tmp_path / "there" / "recipe.yaml").read_text() == (tmp_path / "here" / "recipe.yaml").read_text()
    assert killed == KILLS
    assert "goes on from its last checkpoint" in err
    assert "runs of trials in" in (tmp_path / "there" / "tune.html").read_text()  # what each machine did
    assert cluster.workers() == {}


def test_an_ablation_ends_as_here_though_workers_are_killed(rows: Path, cluster: Started, tmp_path: Path) -> None:
    words = ["ablate", rows, "--target", "label", *ABLATE, "--json"]
    here = json.loads(ended(begin(tmp_path / "home-1", {}, *words))[0])
    running = begin(tmp_path / "home-2", cluster.environment, *words, "--cluster", cluster.address)
    assert kill_some(cluster, running, 2) == KILLS
    there = json.loads(ended(running)[0])

    def scores(found: Any) -> list[Any]:
        return [[one[name] for name in ("arm", "repeat", "score", "rows", "failed")] for one in found["cells"]]

    assert scores(there) == scores(here)


def test_ctrl_c_ends_all_and_it_goes_on(rows: Path, cluster: Started, tmp_path: Path) -> None:
    words = ["tune", rows, "--target", "label", *TUNE, "--out", tmp_path / "out", "--cluster", cluster.address]
    running = begin(tmp_path / "home", cluster.environment, *words)
    wait_for(lambda: (tmp_path / "out" / "model.json").is_file() or running.poll() is not None)
    os.kill(running.pid, signal.SIGINT)
    running.communicate(timeout=600)
    assert running.returncode == 130
    wait_for(lambda: not cluster.workers())
    ended(begin(tmp_path / "home", cluster.environment, *words, "--resume"))
    assert len(trials(tmp_path / "out")) == 7


def test_a_driver_that_is_killed_leaves_nothing_running(rows: Path, cluster: Started, tmp_path: Path) -> None:
    words = ["tune", rows, "--target", "label", *TUNE, "--out", tmp_path / "out", "--cluster", cluster.address]
    running = begin(tmp_path / "home", cluster.environment, *words)
    wait_for(lambda: cluster.workers() or running.poll() is not None)
    os.kill(running.pid, signal.SIGKILL)
    running.communicate(timeout=600)
    wait_for(lambda: not cluster.workers())


def test_a_node_that_is_lost_costs_what_it_was_doing(rows: Path, tmp_path: Path) -> None:
    with nodes(2) as started:
        words = ["tune", rows, "--target", "label", *TUNE, "--out", tmp_path / "out", "--cluster", started.address]
        running = begin(tmp_path / "home", started.environment, *words)
        wait_for(lambda: len(started.workers()) == 2 or running.poll() is not None)
        assert started.tell("kill 1") == "done"
        ended(running)
    assert len(trials(tmp_path / "out")) == 7
    assert all(state != "failed" for _, _, state, *_ in trials(tmp_path / "out"))


def wait_for(true: Any, seconds: float = 600.0) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until
        time.sleep(0.2)
