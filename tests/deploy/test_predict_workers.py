"""graft predict --workers: the file of one process, whatever happens to the workers; and `--parts`."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import graftwork as gw
from command import Ran, graft, write_rows
from graftwork import predicting
from graftwork.deploy.computed_by import ComputedBy
from graftwork.deploy.predict import predict_file
from graftwork.errors import UsageError
from graftwork.predicting_parts import workers
from made import make
from tiny import tiny_texts

ROWS, CHUNK = 300, 20


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("model")
    return make(place).save(place / "model")


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predicting, "CHUNK", CHUNK)
    monkeypatch.setattr(workers, "allowed", lambda: 8)


def texts() -> list[str]:
    found = [f"{text} {at}" for at, text in enumerate(tiny_texts(ROWS))]
    found[3] = ""
    found[CHUNK : 2 * CHUNK] = [""] * CHUNK
    return found


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rows = [(text, f"=n{at}") for at, text in enumerate(texts())]
    return write_rows(tmp_path / "t.csv", rows, header=("text", "note"))


def children(module: str = workers.MODULE) -> list[int]:
    """Worker processes of this one."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == os.getpid() and module in (path / "cmdline").read_text():
                found.append(int(path.name))
        except OSError:
            continue
    return found


def lines(ran: Ran, words: str) -> list[str]:
    return [line for line in ran.err.splitlines() if words in line]


# What needs no worker


def test_a_folder_of_parts_holds_the_rows_in_order(folder: Path, table: Path, tmp_path: Path) -> None:
    graft("predict", folder, table, "--out", tmp_path / "whole.parquet").works()
    graft("predict", folder, table, "--out", tmp_path / "parts", "--parts").works()
    names = sorted(path.name for path in (tmp_path / "parts").iterdir())
    assert names == [f"part-{at:05}.parquet" for at in range(ROWS // CHUNK)]
    assert pq.read_table(tmp_path / "parts").equals(pq.read_table(tmp_path / "whole.parquet"))
    graft("predict", folder, table, "--out", tmp_path / "parts", "--parts").works()
    (tmp_path / "parts" / "mine").touch()
    graft("predict", folder, table, "--out", tmp_path / "parts", "--parts").fails(2, "something else than parts")
    graft("predict", folder, table, "--out", table, "--parts").fails(2, "something else than parts")
    assert (tmp_path / "parts" / "mine").exists()


@pytest.mark.parametrize(("given", "words"), [("0", "workers is 0"), ("-2", "workers is -2"), ("9999", "1 to 1,024")])
def test_a_number_of_workers_that_can_not_be(folder: Path, table: Path, tmp_path: Path, given: str, words: str) -> None:
    graft("predict", folder, table, "--out", tmp_path / "p.csv", "--workers", given).fails(2, words)


def test_the_folder_of_the_parts_is_not_taken_from_others(folder: Path, table: Path, tmp_path: Path) -> None:
    (tmp_path / "p.csv.parts").mkdir()
    (tmp_path / "p.csv.parts" / "mine").touch()
    graft("predict", folder, table, "--out", tmp_path / "p.csv", "--workers", "2").fails(2, "holds mine")
    assert not children()


# What starts workers


@pytest.mark.slow
def test_the_file_is_that_of_one_process(folder: Path, table: Path, tmp_path: Path) -> None:
    asked = {
        "csv": ("--proba", "--spreadsheet-safe"),
        "tsv": (),
        "jsonl": ("--proba",),
        "parquet": (),
    }
    for ending, options in asked.items():
        one, two = tmp_path / f"one.{ending}", tmp_path / f"two.{ending}"
        graft("predict", folder, table, "--out", one, *options).works()
        ran = graft("predict", folder, table, "--out", two, *options, "--workers", "2").works()
        assert one.read_bytes() == two.read_bytes()
        assert lines(ran, "computed by worker 0")
        assert not (tmp_path / f"two.{ending}.parts").exists()
        assert not children()


@pytest.mark.slow
def test_what_is_added_at_prediction_is_done_by_workers_too(folder: Path, table: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    graft("predict", folder, table, "--out", one, "--with", "tent:steps=1").works()
    graft("predict", folder, table, "--out", two, "--with", "tent:steps=1", "--workers", "2").works()
    assert one.read_bytes() == two.read_bytes()


@pytest.mark.slow
def test_python_gets_what_one_process_computes(folder: Path) -> None:
    model = gw.load(folder)
    expected = model.predict_rows(texts())
    found = model.predict_rows(texts(), workers=2)
    assert found.each_values == expected.each_values
    assert np.array_equal(found.probabilities, expected.probabilities, equal_nan=True)
    assert [bad.row for bad in found.bad] == [bad.row for bad in expected.bad]
    assert np.array_equal(model.predict(texts()[:7], workers=2), model.predict(texts()[:7]))
    with pytest.raises(UsageError, match="Expected 1 to"):
        model.predict(texts(), workers=0)


@pytest.mark.slow
def test_what_is_to_be_said_of_rows_is_said_once_and_of_all(folder: Path, tmp_path: Path) -> None:
    long = [("the cat " * 60 if at % 30 == 7 else text,) for at, text in enumerate(texts())]
    table = write_rows(tmp_path / "long.csv", long, header=("text",))
    with pytest.warns(UserWarning, match="texts in") as said:
        predict_file(folder, table, tmp_path / "p.csv", by=ComputedBy(2))
    (one,) = map(str, (each.message for each in said))
    assert "10 of 300 texts in 'text' are longer" in one


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_more_workers_than_there_is_to_do(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "allowed", lambda: 2)
    small = write_rows(tmp_path / "small.csv", [(text,) for text in tiny_texts(CHUNK + 1)], header=("text",))
    ran = graft("predict", folder, small, "--out", tmp_path / "p.csv", "--workers", "3").works()
    assert "3 workers share 2 cores" in ran.err
    assert "3 workers are more than there is to do: 2 parts of up to 20 rows, so 2 at work" in ran.err


def killing(choose: Callable[[list[int]], int], after: float, times: int = 1) -> threading.Thread:
    """Kills `times` workers, the first one `after` seconds."""

    def kill() -> None:
        time.sleep(after)
        for _ in range(times):
            found = children()
            if found:
                os.kill(choose(found), signal.SIGKILL)
            time.sleep(0.5)

    thread = threading.Thread(target=kill)
    thread.start()
    return thread


@pytest.mark.slow
def test_workers_that_are_killed_at_random_moments_change_nothing(folder: Path, tmp_path: Path) -> None:
    many = [(f"{text} {at}",) for at, text in enumerate(tiny_texts(4000))]
    table = write_rows(tmp_path / "many.csv", many, header=("text",))
    graft("predict", folder, table, "--out", tmp_path / "one.csv").works()
    began = time.monotonic()
    graft("predict", folder, table, "--out", tmp_path / "undisturbed.csv", "--workers", "2").works()
    spent, draw, told = time.monotonic() - began, random.Random(0), 0
    for at in range(10):
        out = tmp_path / f"{at}.csv"
        thread = killing(draw.choice, draw.uniform(0.05, 0.95) * spent)
        ran = graft("predict", folder, table, "--out", out, "--workers", "2").works()
        thread.join()
        told += "killed by signal 9); another one does its part again" in ran.err
        assert out.read_bytes() == (tmp_path / "one.csv").read_bytes()
        assert not (tmp_path / f"{at}.csv.parts").exists()
    assert told >= 3, "most moments were in the middle of it"


@pytest.mark.slow
def test_a_stopped_prediction_goes_on_where_it_was(
    folder: Path, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    graft("predict", folder, table, "--out", tmp_path / "one.csv").works()
    out, real, seen = tmp_path / "p.csv", predicting.Predicted, []

    def stop(*given: object, **named: object) -> object:
        seen.append(1)
        if len(seen) == 6:
            raise KeyboardInterrupt
        return real(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(predicting, "Predicted", stop)
    ran = graft("predict", folder, table, "--out", out, "--workers", "2")
    ran.fails(130, r"\d+ of 15 parts are kept in .*p.csv.parts: the same command goes on there", "Stopped")
    assert not children()
    assert not out.exists()
    kept = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "p.csv.parts").glob("part-*")}
    assert 5 <= len(kept) < 15
    monkeypatch.setattr(predicting, "Predicted", real)
    victim = tmp_path / "p.csv.parts" / sorted(kept)[0]
    victim.write_bytes(victim.read_bytes()[:-7])  # a damaged one is computed again
    ran = graft("predict", folder, table, "--out", out, "--workers", "2").works()
    assert lines(ran, "going on in")
    assert out.read_bytes() == (tmp_path / "one.csv").read_bytes()
    assert not (tmp_path / "p.csv.parts").exists()


@pytest.mark.slow
def test_rows_that_end_two_workers_are_named_and_the_rest_is_kept(
    folder: Path, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Path(__file__).parents[1] / "predicting_parts"
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(here), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("KILLEDWORKER", "4")
    monkeypatch.setattr(workers, "MODULE", "killedworker")
    out = tmp_path / "p.csv"
    ran = graft("predict", folder, table, "--out", out, "--workers", "2")
    ran.fails(1, "t.csv, rows 81 to 100: 2 workers ended while they predicted these .killed by signal 9", "kept in")
    assert not out.exists()
    monkeypatch.delenv("KILLEDWORKER")
    graft("predict", folder, table, "--out", out, "--workers", "2").works()
    predict_file(folder, table, tmp_path / "one.csv")
    assert out.read_bytes() == (tmp_path / "one.csv").read_bytes()


def test_no_workers_at_all(folder: Path, table: Path, tmp_path: Path) -> None:
    ran = graft("predict", folder, table, "--out", tmp_path / "p.csv", "--workers", "0")
    ran.fails(2, "workers is 0. Expected 1 to 1,024")
    assert not (tmp_path / "p.csv").exists()
    assert not (tmp_path / "p.csv.parts").exists()
