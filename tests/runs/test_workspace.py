"""graftwork.runs.workspace: which folders a run may write to, and what it remembers there."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from graftwork.errors import CheckpointError, DataError, RefusedError, UsageError
from graftwork.recipe import Recipe
from graftwork.runs.bases.settling import known_bases
from graftwork.runs.budget.affordable import within_budget
from graftwork.runs.clock import Deadline
from graftwork.runs.job.job import Job
from graftwork.runs.listener import Listener
from graftwork.runs.workspace import FOLDER, Workspace, check_free, open_workspace, unfinished


def test_new_and_empty_folders(tmp_path: Path) -> None:
    assert open_workspace(None, False).folder is None
    assert open_workspace(tmp_path, False).folder == tmp_path / FOLDER
    assert open_workspace(tmp_path / "new", True).folder == tmp_path / "new" / FOLDER
    assert not (tmp_path / "new").exists()


def test_folders_that_hold_something(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UsageError, match="is a file"):
        open_workspace(tmp_path / "file", False)
    with pytest.raises(UsageError, match="something else"):
        open_workspace(tmp_path, False)
    with pytest.raises(UsageError, match="nothing to resume"):
        open_workspace(tmp_path, True)


def test_a_finished_model_is_neither_overwritten_nor_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "weights").write_text("")
    monkeypatch.setattr("graftwork.runs.workspace.is_model", lambda _: True)
    for resume in (False, True):
        with pytest.raises(UsageError, match="holds a finished model"):
            open_workspace(tmp_path, resume)
    with pytest.raises(UsageError, match="holds a finished model"):
        check_free(tmp_path)
    check_free(tmp_path / "new")


def test_it_remembers_for_a_resumed_run_only(tmp_path: Path) -> None:
    first = open_workspace(tmp_path, False)
    first.remember("probe", {"steps": 3})
    assert first.recall("probe", dict[str, int]) is None, "a fresh run decides by itself"
    with pytest.raises(UsageError, match="--resume"):
        open_workspace(tmp_path, False)
    second = open_workspace(tmp_path, True)
    assert second.recall("probe", dict[str, int]) == {"steps": 3}
    assert second.recall("tune", dict[str, int]) is None
    second.clear()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", ["", "[]", '{"rows": "9"}', '{"rows": 9, "valid_rows": 3}', "[" * 10**5])
def test_what_is_kept_is_held_against_its_type(content: str, tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    for name in ("rows", "bases"):
        (tmp_path / FOLDER / f"{name}.json").write_text(content)
    workspace, budget = open_workspace(tmp_path, True), Deadline.after(100)
    with pytest.raises(CheckpointError, match=r"rows\.json is damaged"):
        within_budget(cast(Job, None), Recipe(), workspace, Listener(), budget)
    with pytest.raises(CheckpointError, match=r"bases\.json is damaged"):
        known_bases(Recipe(), workspace)


def refused(workspace: Workspace, error: Exception) -> None:
    with workspace.cleared_if_refused():
        workspace.remember("run", {"steps": 3})
        raise error


def test_what_is_refused_is_not_in_the_way(tmp_path: Path) -> None:
    """Nothing was trained: there is nothing to go on with, and the folder is free for the next call."""
    out = tmp_path / "out"
    with pytest.raises(RefusedError):
        refused(open_workspace(out, False), RefusedError("no"))
    assert not out.exists()
    check_free(out)


def test_a_run_with_a_checkpoint_stays(tmp_path: Path) -> None:
    (tmp_path / FOLDER / "run").mkdir(parents=True)
    (tmp_path / FOLDER / "run" / "checkpoint.safetensors").write_bytes(b"x")
    with pytest.raises(DataError):
        refused(Workspace(tmp_path / FOLDER), DataError("no room is left"))
    assert unfinished(tmp_path)
