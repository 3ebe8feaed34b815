"""graft predict --cluster: the file of one process, by two machines, one of which may go."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import graftwork as gw
from clusters import Started, nodes
from command import graft, write_rows
from graftwork.data.load import load_like
from graftwork.predicting_parts.on_cluster import TRIES, PartSource, _files
from graftwork.predicting_parts.table_files import table_of
from graftwork.predicting_parts.table_files import write_rows as write_rows_file
from made import make
from tiny import tiny_texts

ROWS, CHUNK = 600, 20
PATIENT = {"RAY_raylet_start_wait_time_s": "240"}
"""On a busy machine a node takes its time."""
DRIVER = f"""
import sys
from graftwork import predicting
from graftwork.cli import main
predicting.CHUNK = {CHUNK}
main.main()
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Started]:
    with nodes(2, environment=PATIENT) as started:
        yield started


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, a table, and the file of one process."""
    found = tmp_path_factory.mktemp("predicted")
    make(found).save(found / "model")
    texts = [(f"{text} {at}",) for at, text in enumerate(tiny_texts(ROWS))]
    texts[5] = ("",)
    write_rows(found / "t.csv", texts, header=("text",))
    driven({}, "predict", found / "model", found / "t.csv", "--out", found / "one.csv")
    return found


def driven(environment: dict[str, str], *arguments: str | Path, code: int = 0) -> str:
    """What a command in a process of its own says."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, *map(str, arguments)],
        env={**plain, "OMP_NUM_THREADS": "1", **environment},
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == code, done.stderr
    return done.stderr


def test_insecure_is_for_a_cluster(tmp_path: Path) -> None:
    make(tmp_path).save(tmp_path / "model")
    table = write_rows(tmp_path / "t.csv", [("a",)], header=("text",))
    ran = graft("predict", tmp_path / "model", table, "--out", tmp_path / "p.csv", "--insecure")
    ran.fails(2, "name one with --cluster")
    ran = graft("predict", tmp_path / "model", table, "--out", tmp_path / "p.csv", "--cluster", "127.0.0.1:1")
    ran.fails(1, r"No cluster answers at 127\.0\.0\.1:1")


def test_a_part_is_given_with_its_rows_and_not_for_ever(tmp_path: Path) -> None:
    model = make(tmp_path)
    table = load_like(tiny_texts(50), model.schema, with_target=False).table
    source = PartSource(write_rows_file(tmp_path / "rows", table), {3: {"start": 20, "stop": 30}}, ["model"])
    for _ in range(TRIES):
        part, rows, data = source.begin(3)
        assert part == {"part": 3, "start": 20, "stop": 30}
        given = table_of(rows, data, part["start"])
        assert given.rows.tolist() == list(range(21, 31))
        assert given.values("text") == table.values("text")[20:30]
    assert source.begin(3)[0] is None
    assert source.model() == ["model"]


def test_what_goes_to_the_machines_is_the_model_and_nothing_else(tmp_path: Path) -> None:
    folder = make(tmp_path).save(tmp_path / "model")
    (folder / "report.html").write_text("private")
    sent = _files(folder)
    assert "report.html" not in sent
    assert {"model.json", "weights.safetensors"} <= sent.keys()
    for name, content in sent.items():
        path = tmp_path / "there" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    texts = tiny_texts(7)
    assert gw.load(tmp_path / "there").predict(texts).tolist() == gw.load(folder).predict(texts).tolist()


@pytest.mark.slow
def test_two_machines_write_the_file_of_one_process(cluster: Started, place: Path) -> None:
    out = place / "two.csv"
    arguments = ("predict", place / "model", place / "t.csv", "--out", out, "--cluster", cluster.address)
    said = driven(cluster.environment, *arguments)
    assert out.read_bytes() == (place / "one.csv").read_bytes()
    assert "on a cluster of 2 machines" in said
    assert "computed by " in said
    assert not (place / "two.csv.parts").exists()


@pytest.mark.slow
def test_a_machine_that_is_lost_costs_its_parts_and_nothing_else(place: Path) -> None:
    with nodes(3, environment=PATIENT) as started:
        out = place / "lost.csv"
        arguments = ("predict", place / "model", place / "t.csv", "--out", out, "--cluster", started.address)
        parts = place / "lost.csv.parts"

        def lose() -> None:
            until = time.monotonic() + 300
            while time.monotonic() < until and not list(parts.glob("part-*")):
                time.sleep(0.05)
            started.tell("kill 2")

        thread = threading.Thread(target=lose)
        thread.start()
        driven(started.environment, *arguments)
        thread.join()
        assert out.read_bytes() == (place / "one.csv").read_bytes()
