"""Trials on the machines of a cluster. What they came to lies here, as if they had been run here: the files of a trial
that pauses are taken along by whichever machine goes on with it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from graftwork.cluster.checks import Asks
from graftwork.cluster.work import Crew, Done, Piece
from graftwork.data.store.packed import pack, unpack
from graftwork.evidence.tune.trials import Trial
from graftwork.networks.base_settings import BaseSettings
from graftwork.runs.machines.heard import Hearing, cost_notes, how_far
from graftwork.runs.machines.needs import asks_of, check_bases, device_of
from graftwork.runs.tune.preparing import Prepared
from graftwork.runs.tune.search import Wanted
from graftwork.runs.tune.trials.files import trial_folder
from graftwork.runs.tune.trials.on_node import Came, Given, Shared, run_trial
from graftwork.runs.tune.trials.run import TrialRunner

if TYPE_CHECKING:
    from graftwork.cluster.connection import Cluster
    from graftwork.runs.listener import Listener

AHEAD = 2
"""Trials that are begun for each that there is room for; one where the clock gives each its time when it begins."""


@dataclass
class TrialsOnCluster:
    """A runner of trials. local: keeps them, and makes models of them. asks: of a trial."""

    local: TrialRunner
    crew: Crew
    asks: Asks
    _wanted: dict[int, Wanted] = field(default_factory=dict)

    def known(self, number: int) -> Trial | None:
        """As of `TrialRunner`."""
        return self.local.known(number)

    def tidy(self, trials: Sequence[Trial], worth: Sequence[Trial]) -> None:
        """As of `TrialRunner`."""
        self.local.tidy(trials, worth)

    def run_each(self, wanted: Iterator[Wanted]) -> Generator[Trial, None, None]:
        """At the same time, as far as there is room; given as they are done. A trial that ended its process again and
        again (`KILLS`) has failed."""
        with closing(self.crew.each_done(map(self._piece, wanted))) as each:
            for done in each:
                yield self._kept(self._wanted.pop(done.piece.number), done)

    def name(self, number: int) -> str:
        """What a trial that was begun is told of as."""
        return self._wanted[number].trial.name if number in self._wanted else f"trial {number}"

    def _piece(self, one: Wanted) -> Piece:
        trial = one.trial
        self._wanted[trial.number] = one
        files = pack(trial_folder(self.local.place, trial.number)) if trial.rungs else {}
        return Piece(trial.number, f"trial {trial.number} ({trial.name})", Given(one, files), self.asks)

    def _kept(self, one: Wanted, done: Done) -> Trial:
        if done.failed:
            return self.local.keep(replace(one.trial, state="failed", failed=done.failed, at=self.local.now()))
        came: Came = done.result
        unpack(came.files, trial_folder(self.local.place, one.trial.number))
        return self.local.keep(replace(came.trial, at=self.local.now()))


def trials_on(cluster: Cluster, ready: Prepared, local: TrialRunner, listener: Listener) -> TrialsOnCluster:
    """The runner of a tune on a cluster. Raises ClusterError where a machine lacks a base that is tried, or none has
    what a trial asks for."""
    from graftwork.cluster.hands import RayHands

    choices = _choices(ready)
    check_bases(cluster, [base for bases in choices for base in bases])
    asks = asks_of(cluster, choices, "A trial")
    shared = Shared(ready.judged, secrets.token_hex(8), max(1, int(asks.cores)), device_of(asks), os.getcwd())
    crew = Crew(
        RayHands(cluster, run_trial, shared),
        lambda told, node: hearing(told, node),
        listener.note,
        ahead=AHEAD if ready.deadline is None else 1,
        mark=how_far,
    )
    made = TrialsOnCluster(local, crew, asks)
    hearing = Hearing(listener, made.name)
    return made


def told_costs(runner: TrialsOnCluster) -> list[str]:
    """What each machine did, for the report."""
    return cost_notes(runner.crew.costs, "runs of trials")


def _choices(ready: Prepared) -> list[list[BaseSettings]]:
    """The bases of each input that may be tried."""
    found = {one.input.name: {arm.base.spec: arm.base for arm in one.arms} for one in ready.space.frame.inputs}
    for planned in ready.first:
        for name, base in planned.recipe.bases(ready.job.train.schema).items():
            found.setdefault(name, {})[base.spec] = base
    return [list(bases.values()) for bases in found.values()]
