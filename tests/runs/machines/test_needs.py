"""graftwork.runs.machines.needs: what a trial asks a machine for."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from graftwork.cluster.connection import Node
from graftwork.devices import use_device
from graftwork.runs.machines.needs import asks_of


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
