"""Two commands at once with one --out: the second is told so at once, and neither result is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from command import QUICK, Ran, graft, topics
from graftwork.data.store.locks import claimed
from graftwork.model import load
from graftwork.networks.manifest import is_model
from graftwork.runs.workspace import FOLDER
from made import make

FIT = ("--target", "label", "--base", "cnn:width=8", *QUICK)


def at_once(*commands: list[str | Path]) -> list[tuple[int, str]]:
    """Exit code and what is said of commands that run at the same time."""
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "graftwork.cli", *map(str, command)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
        for command in commands
    ]
    said = [one.communicate(timeout=300)[1] for one in running]
    return [(one.returncode, text) for one, text in zip(running, said, strict=True)]


@pytest.mark.slow
def test_two_fits(tmp_path: Path) -> None:
    table, out = topics(tmp_path / "t.csv"), tmp_path / "r"
    ended = at_once(*(["fit", table, *FIT, "--seed", seed, "--out", out] for seed in ("1", "2")))
    assert sorted(code for code, _ in ended) == [0, 2]
    refused = next(text for code, text in ended if code == 2)
    assert "is being written by" in refused or "holds a finished model" in refused or "unfinished run" in refused
    seed = ("1", "2")[[code for code, _ in ended].index(0)]
    assert json.loads((out / "model.json").read_text())["recipe"].get("seed", 0) == int(seed)
    load(out)


@pytest.mark.parametrize("command", ["fit", "merge", "soup", "export", "predict", "run"])
def test_each_command_that_writes(command: str, tmp_path: Path) -> None:
    first = make(tmp_path).save(tmp_path / "m")
    second = load(first).save(tmp_path / "n")
    table, out = topics(tmp_path / "t.csv"), tmp_path / ("o.csv" if command == "predict" else "o")
    (tmp_path / "s.yaml").write_text(f"steps:\n- name: a\n  train: {table}\n  target: label\n  base: cnn\n")
    given: dict[str, list[str | Path]] = {
        "fit": [table, *FIT],
        "merge": [first, second],
        "soup": [first, second, "--method", "uniform"],
        "export": [first, "--to", "transformers"],
        "predict": [first, table],
        "run": [tmp_path / "s.yaml"],
    }
    with claimed(out):
        ran = in_another_thread(command, *given[command], "--out", out)
    ran.fails(2, "is being written by process", "another --out")
    assert not out.exists()


def in_another_thread(*arguments: str | Path) -> Ran:
    """The command as another writer: a thread may claim again what it holds."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(graft, *arguments).result()


@pytest.mark.slow
def test_two_predictions_into_one_file(tmp_path: Path) -> None:
    folder = make(tmp_path).save(tmp_path / "m")
    table, out = topics(tmp_path / "t.csv", 400), tmp_path / "p.csv"
    ended = at_once(*(["predict", folder, table, "--out", out] for _ in range(3)))
    assert {code for code, _ in ended} <= {0, 2}
    assert 0 in {code for code, _ in ended}
    graft("predict", folder, table, "--out", tmp_path / "alone.csv").works()
    assert out.read_bytes() == (tmp_path / "alone.csv").read_bytes()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_planted_link_under_a_temporary_name(tmp_path: Path) -> None:
    """The names that older versions used are nothing that anyone writes to."""
    folder = make(tmp_path).save(tmp_path / "m")
    (tmp_path / "precious").write_text("mine")
    for name in (".p.csv.partial", f".p.csv.partial-{os.getpid()}", ".p.csv.tmp"):
        (tmp_path / name).symlink_to("precious")
    graft("predict", folder, topics(tmp_path / "t.csv", 5), "--out", tmp_path / "p.csv").works()
    assert (tmp_path / "precious").read_text() == "mine"


def test_the_table_is_not_overwritten(tmp_path: Path) -> None:
    folder = make(tmp_path).save(tmp_path / "m")
    table = topics(tmp_path / "t.csv", 5)
    (tmp_path / "link.csv").symlink_to(table)
    os.link(table, tmp_path / "hard.csv")
    before = table.read_bytes()
    for out in (table, tmp_path / "link.csv", tmp_path / "hard.csv"):
        graft("predict", folder, table, "--out", out).fails(2, "is the table", "Name another file")
    assert table.read_bytes() == before


# --- what a killed run leaves ------------------------------------------------------------------------------------
def test_what_killed_runs_left_is_no_hindrance(tmp_path: Path) -> None:
    table, out = topics(tmp_path / "t.csv"), tmp_path / "o"
    out.mkdir()
    for name in (f"..work.graft-{'0' * 16}", f"..graft-new.graft-{'1' * 16}"):
        (out / name).mkdir()
        (out / name / "weights.safetensors").write_text("many bytes")
    (tmp_path / f".o.graft-{'2' * 16}").mkdir()
    (tmp_path / ".o.graft-lock").write_text("1")
    graft("fit", table, *FIT, "--out", out).works()
    assert is_model(out)
    assert not [path for path in (*out.iterdir(), *tmp_path.iterdir()) if path.name.startswith(".")]


def test_a_stop_while_the_working_folder_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It loses its name first: a fit that ends there is finished, and one that ends before goes on."""
    table, out = topics(tmp_path / "t.csv"), tmp_path / "o"
    monkeypatch.setattr("shutil.rmtree", lambda *_, **__: None)  # as if the process ended here
    graft("fit", table, *FIT, "--out", out).works()
    monkeypatch.undo()
    assert not (out / FOLDER).exists()
    graft("fit", table, *FIT, "--out", out, "--resume").fails(2, "finished model")
    graft("predict", out, table, "--out", tmp_path / "p.csv").works()
