"""Workers of a run on the machines of a cluster: how many, with how many cores, whether they find what they read."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from graftwork.cluster.checks import Asks, Needs, check_nodes, room
from graftwork.errors import ClusterError
from graftwork.evidence.workers import WorkerCost
from graftwork.predicting_parts.table_files import names_files
from graftwork.recipe import Recipe
from graftwork.runs.job.job import Job
from graftwork.runs.listener import Listener
from graftwork.runs.machines.needs import asks_of, check_bases, computes_on_gpus, device_of
from graftwork.runs.workers.checks import check_number
from graftwork.runs.workers.cluster_line import ClusterLine
from graftwork.runs.workers.over_workers import private_folder
from graftwork.runs.workers.request import Request
from graftwork.runs.workers.watch import Watch, watched
from graftwork.threads import THREADS

if TYPE_CHECKING:
    from graftwork.cluster.connection import Cluster, Node


@dataclass
class OnCluster:
    """Starts `count` processes on the machines of a cluster for each run (`Starting`). threads: with which each
    computes. asks: of a worker of the run that was looked at last."""

    cluster: Cluster
    count: int
    threads: int
    asks: Asks = field(default_factory=Asks)
    _checked: set[str] = field(default_factory=set)

    def look(self, job: Job, recipe: Recipe) -> None:
        """Raise ClusterError where a machine lacks a base, does not see the files that rows name, or where there is no
        room for so many workers of this run."""
        bases = list(recipe.bases(job.train.schema).values())
        new = [base for base in bases if base.spec not in self._checked]
        if new:
            check_bases(self.cluster, new)
        self._checked |= {base.spec for base in new}
        self.asks = replace(asks_of(self.cluster, [[base] for base in bases], "A worker"), cores=float(self.threads))
        there = room(self.cluster.nodes, self.asks)
        if there < self.count:
            raise ClusterError(
                f"There are {self.count} workers of {self.asks.memory / 1e9:.1f} GB of memory, and the cluster has "
                f"room for {there}. Expected at most --workers {there}, or more machines, or a smaller base."
            )
        folders = _folders_of_files(job) - self._checked
        if folders:
            what = "the folder of the files that the rows name"
            check_nodes(self.cluster, Needs(paths=dict.fromkeys(sorted(folders), what)))
            self._checked |= folders

    def train(self, folder: Path, request: Request, batch: int, listener: Listener) -> tuple[WorkerCost, ...]:
        """See `Starting.train`."""
        from graftwork.cluster.training import RayTraining
        from graftwork.core.parallel.workers import PATIENCE
        from graftwork.runs.workers.on_node import work_on_node

        first = {
            "key": secrets.token_hex(8),
            "threads": self.threads,
            "device": device_of(self.asks),
            "cwd": os.getcwd(),
            "workspace": request.workspace,
        }
        with private_folder() as place:
            hands = RayTraining(self.cluster, work_on_node, self.count, self.asks, place, PATIENCE.total_seconds())
            line = ClusterLine(hands, self.count, request.name, folder, Path(request.workspace), first)
            well = False
            try:
                costs = watched(Watch(line, request.name, self.count, batch, listener))
                well = True
            finally:
                line.close(well=well)
        return costs


def _folders_of_files(job: Job) -> set[str]:
    """Those in which the files lie that rows name."""
    tables = [table for table in (job.train, job.valid, job.drawn_from) if table is not None]
    named = [table for table in tables if names_files(table)]
    return {os.getcwd() if table.folder is None else str(table.folder.absolute()) for table in named}


def shared_out(cluster: Cluster, asked: int | None) -> tuple[int, int]:
    """How many workers a call has, and with how many threads each computes: as many as were asked for; else one for
    each GPU, and without GPUs one for each machine. They share all cores, unless OMP_NUM_THREADS says less.

    Raises UsageError for what is no number of workers, ClusterError for more than the cluster has cores or GPUs."""
    on_gpus, nodes = computes_on_gpus(cluster), cluster.nodes
    most = room(nodes, _one(1, on_gpus=on_gpus))
    if asked is None:
        asked = max(1, most if on_gpus else sum(node.cores >= 1 for node in nodes))
    check_number(asked)
    if asked > most:
        what = "GPUs" if on_gpus else "cores"
        raise ClusterError(
            f"There are {asked} workers, and the cluster has {what} for {most}: {_each(nodes, on_gpus=on_gpus)}. "
            f"Expected at most --workers {most}, or more machines."
        )
    cores = int(max(node.cores for node in nodes))
    even = max(each for each in range(1, cores + 1) if room(nodes, _one(each, on_gpus=on_gpus)) >= asked)
    said = os.environ.get(THREADS, "")
    return asked, min(even, int(said)) if said.isdigit() and int(said) > 0 else even


def _one(cores: int, *, on_gpus: bool) -> Asks:
    return Asks(float(cores), 0, float(on_gpus))


def _each(nodes: Sequence[Node], *, on_gpus: bool) -> str:
    return ", ".join(f"{node.name} {node.gpus if on_gpus else node.cores:g}" for node in nodes)
