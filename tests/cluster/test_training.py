"""How an attempt of Ray Train ended, and how many workers find a place at all."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from graftwork.cluster import training
from graftwork.cluster.checks import Asks, room
from graftwork.cluster.connection import Node
from graftwork.cluster.training import RayTraining, over_of
from graftwork.errors import ClusterError

GB = 10**9
NODES = (Node("a", "node-a", 4.0, 8 * GB, 0.0), Node("b", "node-b", 2.0, 64 * GB, 1.0), Node("c", "head", 0.0, GB, 0.0))


class WorkerGroupError(Exception):
    """As Ray Train has it."""

    def __init__(self, failures: Mapping[int, Exception]) -> None:
        super().__init__("Training failed due to worker errors:\nall of it")
        self.worker_failures = failures


class UserExceptionWithTraceback(Exception):
    """What a worker raised, as Ray Train hands it on."""


class ActorDiedError(Exception):
    pass


@pytest.mark.parametrize(
    ("asks", "many"),
    [
        (Asks(1), 6),
        (Asks(2), 3),
        (Asks(4), 1),
        (Asks(8), 0),
        (Asks(1, 4 * GB), 4),
        (Asks(1, 0, 1.0), 1),
        (Asks(0, GB), 73),
    ],
)
def test_room_is_what_all_machines_hold_at_once(asks: Asks, many: int) -> None:
    assert room(NODES, asks) == many


def test_the_lost_ones_are_those_whose_process_is_gone() -> None:
    """And not those that could not go on without them."""
    over = over_of(WorkerGroupError({0: UserExceptionWithTraceback("gloo"), 1: ActorDiedError("killed")}))
    assert over.lost == (1,)
    assert over.said
    low = ActorDiedError("Task was killed due to the node running low on memory.")
    assert over_of(WorkerGroupError({1: low})).said == "a machine had no memory left"
    assert over_of(WorkerGroupError({0: UserExceptionWithTraceback("gloo")})).lost == ()
    assert over_of(ValueError("first\nlast line")).said == "last line"


def test_what_never_found_room_is_known_by_the_name_that_ray_gives_it() -> None:
    exceptions = pytest.importorskip("ray.train.v2._internal.exceptions")
    from ray.train.v2.api.exceptions import ControllerError

    over = over_of(ControllerError(exceptions.WorkerGroupStartupTimeoutError(2)))
    assert over.crowded
    assert over.lost == ()
    assert not over_of(ControllerError(ValueError("other"))).crowded


class Left:
    """A cluster of which so many machines are left at each look."""

    def __init__(self, *counts: int) -> None:
        self.counts = list(counts)

    @property
    def nodes(self) -> tuple[Node, ...]:
        left = self.counts.pop(0) if len(self.counts) > 1 else self.counts[0]
        return NODES[:left]


def attempt(cluster: Left, tmp_path) -> RayTraining:
    return RayTraining(cluster, print, 3, Asks(2), tmp_path, 1.0)  # type: ignore[arg-type]


def test_it_waits_for_machines_to_come_back(tmp_path, monkeypatch) -> None:
    ticks = iter(range(0, 10_000, 5))
    monkeypatch.setattr(training.time, "sleep", lambda _: None)
    monkeypatch.setattr(training.time, "monotonic", lambda: float(next(ticks)))
    attempt(Left(1, 1, 2), tmp_path).ready()
    with pytest.raises(ClusterError, match=r"room for 2 of 3 workers on the 1 machines .* --resume"):
        attempt(Left(1), tmp_path).ready()


def test_a_machine_that_is_gone_keeps_its_name(tmp_path) -> None:
    one = attempt(Left(2, 1), tmp_path)
    assert one.names() == one.names() == {"a": "node-a", "b": "node-b"}
