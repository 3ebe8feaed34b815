"""The cells of an ablation on the machines of a cluster; what is finished is kept here, as if it had been run here."""

from __future__ import annotations

import os
import secrets
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from graftwork.cluster.checks import Asks
from graftwork.cluster.work import Crew, Piece
from graftwork.evidence.ablation.cells import Cell
from graftwork.networks.base_settings import BaseSettings
from graftwork.runs.ablation.arms import Arm, Arms
from graftwork.runs.ablation.cell import Made, Runner, Wanted
from graftwork.runs.ablation.repeats import Pool, Repeat
from graftwork.runs.listener import Listener
from graftwork.runs.machines.heard import Hearing, Tell, Telling, how_far
from graftwork.runs.machines.needs import asks_of, check_bases, device_of
from graftwork.runs.machines.settled import settled

if TYPE_CHECKING:
    from graftwork.cluster.connection import Cluster

AHEAD = 2
"""Runs that are begun for each that there is room for."""


@dataclass(frozen=True)
class Shared:
    """What all runs share, sent once to each machine. key: of this call. frozen: as of `Runner`. threads, device,
    cwd: as of `settled`."""

    pool: Pool
    frozen: Mapping[str, tuple[str, ...]]
    key: str
    threads: int
    device: str
    cwd: str


def make_cell(shared: Shared, given: Wanted, tell: Tell) -> Made:
    """On a machine: one run. The first one of a process only warms up, so that what is loaded once is not measured."""
    repeat = replace(given.repeat, pool=shared.pool)
    runner = replace(_runner(shared.key), listener=Telling(tell), frozen=shared.frozen)
    with settled(shared.threads, shared.device, shared.cwd):
        if shared.key not in _WARM:
            _WARM.add(shared.key)
            runner.warm(given.arm, repeat)
        return runner.made(given.name, given.arm, repeat)


_WARM: set[str] = set()
"""In a process on a machine: the calls that it has warmed up for."""


@lru_cache(maxsize=1)
def _runner(key: str) -> Runner:  # noqa: ARG001
    """That of this process, in the call of this key: it knows which features it has put into the cache."""
    return Runner(Listener())


@dataclass
class CellsOnCluster:
    """Makes cells. local: finds and keeps finished runs. asks: of a run."""

    local: Runner
    crew: Crew
    asks: Asks
    _wanted: dict[int, Wanted] = field(default_factory=dict)
    _begun: int = 0

    @property
    def slots(self) -> int:
        """On the machines that are alive."""
        return max(1, sum(int(node.cores / self.asks.cores) for node in self.crew.hands.nodes()))

    def warm(self, arm: Arm, repeat: Repeat) -> None:
        """Each process does it for itself."""

    def found(self, name: str, arm: Arm, repeat: Repeat) -> Cell | None:
        """As of `Runner`."""
        return self.local.found(name, arm, repeat)

    def run_each(self, wanted: Iterator[Wanted]) -> Generator[tuple[Cell, float], None, None]:
        """At the same time, as far as there is room. A run that ended its process again and again (`KILLS`)
        has failed."""
        with closing(self.crew.each_done(map(self._piece, wanted))) as each:
            for done in each:
                made: Made = Made(failed=done.failed) if done.failed else done.result
                self.local.listener.placed(done.piece.name, "")
                yield self.local.kept(self._wanted.pop(done.piece.number), made), done.seconds

    def name(self, number: int) -> str:
        """What a run that was begun is told of as."""
        one = self._wanted.get(number)
        return f"run {number}" if one is None else _name(one)

    def _piece(self, one: Wanted) -> Piece:
        self._begun += 1
        self._wanted[self._begun] = one
        given = replace(one, repeat=replace(one.repeat, pool=cast(Any, None)))  # the rows are there
        return Piece(self._begun, _name(one), given, self.asks)


def _name(one: Wanted) -> str:
    return f"repeat {one.repeat.number + 1}: {one.name}"


def cells_on(cluster: Cluster, pool: Pool, arms: Arms, local: Runner, listener: Listener) -> CellsOnCluster:
    """What makes the cells of an ablation on a cluster. Raises ClusterError where a machine lacks a base, or none has
    what a run asks for."""
    from graftwork.cluster.hands import RayHands

    choices: dict[str, dict[str, BaseSettings]] = {}
    for arm in arms.each.values():
        for name, base in arm.recipe.bases(pool.table.schema).items():
            choices.setdefault(name, {})[base.spec] = base
    each = [list(bases.values()) for bases in choices.values()]
    check_bases(cluster, [base for bases in each for base in bases])
    asks = asks_of(cluster, each, "A run")
    threads = max(1, int(asks.cores))
    shared = Shared(pool, local.frozen, secrets.token_hex(8), threads, device_of(asks), os.getcwd())
    hands = RayHands(cluster, make_cell, shared)
    crew = Crew(hands, lambda told, node: hearing(told, node), listener.note, AHEAD, how_far)
    made = CellsOnCluster(local, crew, asks)
    hearing = Hearing(listener, made.name)
    return made
