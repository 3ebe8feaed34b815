"""What a worker on a machine of a cluster tells of its files: of the driver's, where they go."""

from __future__ import annotations

from pathlib import Path

from graftwork.errors import CheckpointError
from graftwork.runs.workers.faults import raised, told_of
from graftwork.runs.workers.on_node import _as_there


def test_an_error_names_the_folders_of_the_call() -> None:
    folder = Path("/cache/spool/fit-1-10.0.0.2-0")
    text = f"{folder}/work/run/checkpoint is damaged. Remove {folder}."
    told = _as_there(told_of(CheckpointError(text)), folder, {"workspace": "/home/me/out/.work"})
    error = raised(told, 0)
    assert isinstance(error, CheckpointError)
    assert str(error) == "/home/me/out/.work/run/checkpoint is damaged. Remove /home/me/out."
