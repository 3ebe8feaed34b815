"""Every command that writes is killed before each of its renames and unlinks: what was there stays, or what is new is
whole; the same command again ends as if nothing had happened, and leaves nothing lying about.
"""

from __future__ import annotations

import hashlib
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from command import Ran, graft
from fuzz.commands import Made, fetch, fit
from fuzz.killing import forked, places

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")

VARYING = ("report.html", "metrics.json", "README.md", "merge.json", "summary.md", "robustness.json", "sequence.json")
"""Files that hold times and dates."""


def again(ran: Ran) -> Ran:
    """A command that is repeated may also say that all is there already."""
    assert "Traceback" not in ran.err
    assert ran.code == 0 or (ran.code == 2 and "finished" in ran.err), ran.err
    return ran


COMMANDS: dict[str, Callable[[Made, Path], Ran]] = {
    "fit": lambda made, out: fit(made, out, "--test", made / "test.csv", *(["--resume"] if out.exists() else [])),
    "default": lambda made, out: graft(
        "fit",
        made / "train.csv",
        "--target",
        "label",
        "--base",
        made / "base",
        "--out",
        out,
        *(["--resume"] if out.exists() else []),
    ),
    "merge": lambda made, out: graft("merge", made / "first", made / "second", "--out", out),
    "soup": lambda made, out: graft("soup", made / "first", made / "second", "--method", "uniform", "--out", out),
    "run": lambda made, out: graft("run", made / "steps.yaml", "--out", out, *(["--resume"] if out.exists() else [])),
    "export": lambda made, out: graft("export", made / "first", "--to", "transformers", "--out", out),
    "bases get": lambda made, out: fetch(made, out.parent, "get", "tiny"),
    "robust": lambda made, out: graft(
        "evaluate",
        made / "first",
        made / "test.csv",
        "--robust",
        "--robust-set",
        "rows=4,restarts=1,steps=1",
        "--out",
        out,
    ),
}
"""What writes a folder."""


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name == "default" else []) for name in COMMANDS]
)
def test_a_new_folder(name: str, made: Made, tmp_path: Path) -> None:
    run = COMMANDS[name]
    whole, out = tmp_path / "whole" / "out", tmp_path / "killed" / "out"
    whole.parent.mkdir()
    count = forked(lambda: run(made, whole).works(), None, whole.parent)
    assert count > 0
    expected = contents(whole.parent)
    for place in places(count):
        shutil.rmtree(out.parent, ignore_errors=True)
        out.parent.mkdir()
        assert forked(lambda: run(made, out), place, out.parent) == -1, f"{name} was over before {place} of {count}"
        forked(lambda: again(run(made, out)))
        assert contents(out.parent) == expected, f"killed before rename or unlink {place} of {count}"


FILES: dict[str, Callable[[Made, Path], Ran]] = {
    "predict.csv": lambda made, out: graft("predict", made / "first", made / "test.csv", "--out", out, "--proba"),
    "predict.parquet": lambda made, out: graft("predict", made / "first", made / "test.csv", "--out", out),
    "predict.jsonl": lambda made, out: graft("predict", made / "first", made / "test.csv", "--out", out),
    "people.safetensors": lambda made, out: graft("enroll", made / "people", made / "who.csv", "--out", out),
}
"""What writes a file, over one that is there."""


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_the_old_or_the_new_one(name: str, made: Made, tmp_path: Path) -> None:
    run, whole, out = FILES[name], tmp_path / "whole" / name, tmp_path / "killed" / name
    whole.parent.mkdir()
    count = forked(lambda: run(made, whole).works(), None, whole.parent)
    new, expected = whole.read_bytes(), contents(whole.parent)
    for place in places(count):
        shutil.rmtree(out.parent, ignore_errors=True)
        out.parent.mkdir()
        out.write_bytes(b"old")
        assert forked(lambda: run(made, out), place, out.parent) == -1
        assert out.read_bytes() in (b"old", new)
        forked(lambda: run(made, out).works())
        assert contents(out.parent) == expected


@pytest.mark.filterwarnings("ignore:.*of the model that was there before")
def test_a_model_saved_over_another_is_the_old_or_the_new_one(made: Made, tmp_path: Path) -> None:
    whole, out = tmp_path / "whole" / "model", tmp_path / "killed" / "model"
    old, new = made / "first", made / "second"
    for folder in (whole, out):
        folder.parent.mkdir()
    shutil.copytree(old, whole)
    (whole / "notes.txt").write_text("mine")
    count = forked(lambda: save(new, whole), None, whole.parent)
    assert (whole / "notes.txt").read_text() == "mine", "a file of the user is gone"
    expected = contents(whole.parent)
    for place in places(count):
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(old, out)
        (out / "notes.txt").write_text("mine")
        assert forked(lambda: save(new, out), place, out.parent) == -1
        forked(lambda: check_either(out, old, new))
        assert (out / "notes.txt").read_text() == "mine"
        forked(lambda: save(new, out))
        assert contents(out.parent) == expected, f"killed before rename or unlink {place} of {count}"


@pytest.mark.slow
def test_an_index_is_the_old_or_the_new_one(made: Made, tmp_path: Path) -> None:
    out = tmp_path / "finder"
    shutil.copytree(made / "finder", out)
    run = lambda: graft("index", out, made / "pairs.csv").works()
    forked(run)
    count = forked(run, None, tmp_path)
    expected = contents(tmp_path)
    for place in places(count):
        assert forked(run, place, tmp_path) == -1
        forked(lambda: graft("search", out, "the cat is here", "--by", "text").works())
        forked(run)
        assert contents(tmp_path) == expected


@pytest.mark.slow
def test_a_base_is_whole_or_gone(made: Made, tmp_path: Path) -> None:
    """Wherever its removal is stopped, it is there as it was, or can be fetched again; nothing stays beside it."""
    forked(lambda: fetch(made, tmp_path / "whole", "get", "tiny").works())
    expected = contents(tmp_path / "whole")
    count = forked(lambda: fetch(made, tmp_path / "whole", "remove", "tiny").works(), None, tmp_path / "whole")
    assert count > 0
    assert contents(tmp_path / "whole") == {}
    home = tmp_path / "killed"
    for place in range(count):
        forked(lambda: fetch(made, home, "get", "tiny").works())
        assert forked(lambda: fetch(made, home, "remove", "tiny"), place, home) == -1
        held = {name for name in contents(home) if ".graft-" not in name}
        assert held in (set(), set(expected)), f"killed before rename or unlink {place} of {count}"
        forked(lambda: fetch(made, home, "get", "tiny").works())
        assert contents(home) == expected


def save(source: Path, out: Path) -> None:
    import graftwork as gw

    gw.load(source).save(out)


def check_either(out: Path, *sources: Path) -> None:
    """The model predicts as one of these does."""
    import graftwork as gw

    texts = ["the cat is here", "no rain today"]
    found = gw.load(out).predict_proba(texts).tolist()
    assert found in [gw.load(source).predict_proba(texts).tolist() for source in sources]


def contents(folder: Path) -> dict[str, str]:
    """Every file below a folder by its digest; of those that hold a time only the name."""
    return {
        str(path.relative_to(folder)): "" if path.name in VARYING else hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
