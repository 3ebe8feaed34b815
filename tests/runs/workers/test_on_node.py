"""The folder of a worker on a machine of a cluster: for its user alone, and told of as the driver's, for which it
stands."""

from __future__ import annotations

from pathlib import Path

from graftwork.errors import CheckpointError
from graftwork.runs.workers.faults import raised, told_of
from graftwork.runs.workers.on_node import _as_there, _make


def test_an_error_names_the_folders_of_the_call() -> None:
    folder = Path("/cache/spool/fit-1-10.0.0.2-0")
    text = f"{folder}/work/run/checkpoint is damaged. Remove {folder}."
    told = _as_there(told_of(CheckpointError(text)), folder, {"workspace": "/home/me/out/.work"})
    error = raised(told, 0)
    assert isinstance(error, CheckpointError)
    assert str(error) == "/home/me/out/.work/run/checkpoint is damaged. Remove /home/me/out."


def test_rows_are_for_their_user_alone_and_no_longer_there_than_needed(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    for name in ("fit-a-10.0.0.2-0", "fit-a-10.0.0.2-1", "fit-b-10.0.0.2-0"):
        (spool / name / "request").mkdir(parents=True)
    _make(spool / "fit-a-10.0.0.2-2", 2)
    assert sorted(one.name for one in spool.iterdir()) == ["fit-a-10.0.0.2-2", "fit-b-10.0.0.2-0"]
    assert (spool / "fit-a-10.0.0.2-2").stat().st_mode & 0o777 == 0o700
