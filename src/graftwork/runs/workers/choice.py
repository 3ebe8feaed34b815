"""Who makes the runs of a call: this process, or several workers, of this machine or of a cluster."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from graftwork.recipe import Recipe
from graftwork.runs.listener import Listener
from graftwork.runs.machines.reached import reached
from graftwork.runs.single.run import RunOne, run_single
from graftwork.runs.workers.checks import check_here, check_number, check_several

if TYPE_CHECKING:
    from graftwork.cluster.connection import Cluster


@contextmanager
def made_by(
    workers: int | None, asked: Recipe, listener: Listener, *, cluster: str | None = None, insecure: bool = False
) -> Iterator[RunOne]:
    """What makes the runs of a recipe by so many workers, for as long as the block lasts: of this machine, or of the
    cluster at an address. None: one here, and on a cluster as `shared_out` says.

    Raises UsageError for a number that can't be, and where this machine can't run several; warns where there are fewer
    cores. Raises what `reached` raises, and ClusterError for more workers than a cluster has room for."""
    if workers is not None:
        check_number(workers)
    with reached(cluster, listener, insecure=insecure) as there:
        yield _run_of(workers, asked, there, listener)


def counted_workers(
    workers: int | None, asked: Recipe, listener: Listener, *, cluster: str | None, insecure: bool
) -> int:
    """How many workers `made_by` has. Raises the same."""
    if workers is not None:
        check_number(workers)
    with reached(cluster, listener, insecure=insecure) as there:
        number = _number_of(workers, there)
    check_several(number, asked)
    return number


def _run_of(workers: int | None, asked: Recipe, cluster: Cluster | None, listener: Listener) -> RunOne:
    number = _number_of(workers, cluster)
    check_several(number, asked)
    if number == 1:
        if cluster is not None:
            listener.note("one worker is one process: runs are made here, and not on the cluster")
        return run_single
    from graftwork.runs.workers.over_workers import OverWorkers

    if cluster is not None:
        from graftwork.runs.workers.on_cluster import OnCluster, shared_out

        return OverWorkers(OnCluster(cluster, *shared_out(cluster, number)), asked).run
    check_here(number)
    from graftwork.runs.workers.torchrun import Torchrun

    return OverWorkers(Torchrun(number), asked).run


def _number_of(workers: int | None, cluster: Cluster | None) -> int:
    if cluster is None or workers == 1:
        return workers or 1
    from graftwork.runs.workers.on_cluster import shared_out

    return shared_out(cluster, workers)[0]


def repeating(command: str | None, *, by_workers: bool) -> str | None:
    """The command that repeats the run that was kept: without --workers and --cluster where one process made it, since
    its recipe names now what nobody had named, and several workers may refuse that."""
    if command is None or by_workers:
        return command
    words = shlex.split(command)
    for option in OPTIONS:
        if option in words:
            at = words.index(option)
            del words[at : at + 2]
        words = [word for word in words if not word.startswith(f"{option}=")]
    return shlex.join(word for word in words if word != FLAG)


OPTIONS, FLAG = ("--workers", "--cluster"), "--insecure"
