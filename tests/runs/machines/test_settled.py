"""graftwork.runs.machines.settled: how a process on a machine computes."""

from __future__ import annotations

from pathlib import Path

import torch

from graftwork.devices import asked
from graftwork.runs.machines.settled import settled


def test_paths_begin_where_the_driver_runs_and_all_is_put_back(tmp_path: Path) -> None:
    before = (Path.cwd(), asked())
    with settled(torch.get_num_threads(), "cpu", str(tmp_path)):
        assert Path.cwd() == tmp_path
        assert asked() == "cpu"
    assert (Path.cwd(), asked()) == before


def test_a_folder_that_is_not_seen_here_leaves_the_one_that_was(tmp_path: Path) -> None:
    before = Path.cwd()
    with settled(torch.get_num_threads(), "cpu", str(tmp_path / "elsewhere")):
        assert Path.cwd() == before
