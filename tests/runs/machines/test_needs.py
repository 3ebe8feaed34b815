"""graftwork.runs.machines.needs: what a trial asks a machine for."""

from __future__ import annotations

from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path

import pytest

from graftwork.cluster.connection import Node
from graftwork.devices import use_device
from graftwork.networks.bases.registry import parse_base
from graftwork.runs.machines.needs import asks_of, lacks


@dataclass(frozen=True)
class Machines:
    nodes: tuple[Node, ...]


@pytest.mark.parametrize(("device", "gpus"), [("auto", 1.0), ("cpu", 0.0)])
def test_a_gpu_is_asked_for_where_there_is_one_unless_the_processor_is_named(device, gpus, monkeypatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    machines = Machines((Node("1", "plain", 2.0, 8 * 10**9, 0.0), Node("2", "large", 4.0, 8 * 10**9, 1.0)))
    back = use_device(device)
    try:
        asks = asks_of(machines, [], "A trial")  # type: ignore[arg-type]
    finally:
        back()
    assert (asks.cores, asks.gpus) == (3.0, gpus)


def test_a_relative_folder_begins_where_the_driver_runs(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with chdir(tmp_path):
        base = parse_base("./mine", "text")
    assert lacks([base], str(tmp_path)) == []
    [(name, mend)] = lacks([base], str(tmp_path / "elsewhere"))
    assert name.startswith("in the folder ")
    assert "Copy the folder to the same path there" in mend
