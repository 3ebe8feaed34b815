"""`graft ablate` as a user runs it: what it prints, keeps and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from command import graft, write_rows
from graftwork.runs.ablation import cell

PROBE = ("--base", "columns", "--with", "probe:l2=0.1", "--with", "label-smoothing")
SHORT = ("--set", "steps=1", "--set", "head_lr=1e-7", "--set", "precision=fp32")


@pytest.fixture(autouse=True)
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Told by one of two columns; in a folder and a home of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GRAFTWORK_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(cell.Runner, "warm", lambda *_: None)
    draw = np.random.default_rng(0).normal(size=(200, 2))
    rows = [(f"{a:.4f}", f"{b:.4f}", "yes" if a > 0 else "no") for a, b in draw]
    return write_rows(tmp_path / "t.csv", rows, header=("a", "b", "kind"))


def test_verdicts_of_a_table_and_the_files() -> None:
    done = graft("ablate", "t.csv", "--target", "kind", *PROBE, *SHORT, "--repeats", "5", "--out", "found").works()
    assert "probe helps: +" in done.out
    assert "Not shown to earn its place: label-smoothing." in done.out
    assert "a run takes about" in done.err
    assert {path.name for path in Path("found").iterdir()} == {"ablation.html", "ablation.csv", "ablation.json"}
    page = Path("found/ablation.html").read_text()
    assert "graft ablate t.csv --target kind" in page
    graft("ablate", "t.csv", "--target", "kind", *PROBE, *SHORT, "--repeats", "5", "--out", "found").works()


def test_json_is_json_alone() -> None:
    done = graft("ablate", "t.csv", "--target", "kind", *PROBE, *SHORT, "--repeats", "1", "--json").works()
    found = json.loads(done.out)
    assert {one["name"] for one in found["findings"]} == {"probe", "label-smoothing"}
    assert len(found["cells"]) == 3


def test_a_fit_names_the_command_and_the_run_is_found_again() -> None:
    done = graft("fit", "t.csv", "--target", "kind", *PROBE, *SHORT, "--out", "runs/x").works()
    assert done.out.count("graft ablate runs/x") == 1
    assert "graft ablate runs/x" in Path("runs/x/report.html").read_text()
    found = json.loads(graft("ablate", "runs/x", "--repeats", "1", "--json").works().out)
    assert found["recipe"]["techniques"] == [{"probe": {"l2": 0.1}}, {"label-smoothing": {}}]


@pytest.mark.slow
def test_what_earned_its_place_is_trained() -> None:
    graft("ablate", "t.csv", "--target", "kind", *PROBE, *SHORT, "--repeats", "5", "--keep", "kept").works()
    recipe = Path("kept/recipe.yaml").read_text()
    assert "probe" in recipe
    assert "label-smoothing" not in recipe
    graft("predict", "kept", "t.csv", "--out", "p.csv").works()


@pytest.mark.slow
def test_columns_that_earned_their_place_are_read() -> None:
    probe = ("--base", "columns", "--with", "probe:l2=0.1")
    done = graft(
        *("ablate", "t.csv", "--target", "kind", *probe, "--columns", "--repeats", "6", "--keep", "kept")
    ).works()
    assert "a helps: +" in done.out
    assert list(json.loads(Path("kept/model.json").read_text())["sources"]["table"]) == ["a"]


def test_a_folder_to_keep_that_is_taken_is_said_before_anything_is_run() -> None:
    Path("kept").mkdir()
    Path("kept/mine.txt").write_text("mine")
    args = ("ablate", "t.csv", "--target", "kind", *PROBE, *SHORT, "--repeats", "1")
    graft(*args, "--keep", "kept").fails(2, "kept holds something else")
    graft(*args, "--keep", "new", "--out", "new").fails(2, "--keep and --out")
    assert not Path("home/runs").exists()


def test_what_can_not_be_done_is_said() -> None:
    graft("ablate", "nowhere.csv", *PROBE).fails(1, "nowhere.csv")
    graft("ablate", "t.csv", "--target", "kind", "--with", "none").fails(2, "no technique", "--between", "--columns")
    graft("ablate", "t.csv", "--target", "kind").fails(2, "leaves its techniques to be chosen", "name the run")
    graft("ablate", "t.csv", "--target", "kind", *PROBE, "--method", "one-out").fails(2, "method is 'one-out'")
    graft("ablate", "t.csv", "--target", "kind", *PROBE, "--between", "lr").fails(2, "SETTING=VALUE")
    graft("ablate", "t.csv", "--target", "kind", *PROBE, *SHORT, "--budget", "0.01s").fails(2, "too small", "5 repeats")
    graft("ablate", "t.csv", "--target", "kind", *PROBE, "--data", "u.csv").fails(2, "a table is named")


@pytest.mark.slow
def test_a_table_that_is_gone_or_changed_is_named(table: Path) -> None:
    graft("fit", "t.csv", "--target", "kind", *PROBE, *SHORT, "--out", "runs/x").works()
    table.write_text(table.read_text() + "1,1,yes\n")
    graft("ablate", "runs/x").fails(1, r"t\.csv has changed since", "--data")
    graft("ablate", "runs/x", "--data", "t.csv", "--repeats", "1").works()
    table.rename("u.csv")
    graft("ablate", "runs/x").fails(1, "is not there any more", "--data FILE")
    graft("ablate", "runs/x", "--target", "kind", "--data", "u.csv").fails(2, "is a run, which says itself", "target")


def test_finished_runs_are_listed_and_pruned() -> None:
    graft("ablate", "t.csv", "--target", "kind", *PROBE, *SHORT, "--repeats", "1").works()
    assert "3 finished runs of ablations" in graft("cache").works().out
    assert json.loads(graft("cache", "list", "--json").works().out)["runs"]["entries"] == 3
    assert "3 finished runs deleted" in graft("cache", "prune", "--runs").works().out
    assert "0 finished runs" in graft("cache").works().out
