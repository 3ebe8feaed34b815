"""What machines must have for the runs of a call, and what one run asks of the machine that makes it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from graftwork.bases.catalogue import known
from graftwork.bases.home import fetched_from_hub, is_hub_id
from graftwork.cluster.checks import Asks, check_room, on_each_node
from graftwork.cluster.connection import Cluster
from graftwork.devices import AUTO, CPU, CUDA, asked, chosen
from graftwork.errors import ClusterError
from graftwork.networks.base_settings import BaseSettings
from graftwork.threads import THREADS

PROCESS = 500_000_000
"""Bytes that a process takes before it has loaded a base."""
COPIES = 4
"""Of the weights of a base while it is trained: themselves, their gradients, and two means of the optimizer."""


def check_bases(cluster: Cluster, bases: Sequence[BaseSettings]) -> None:
    """Raise ClusterError for a machine that lacks the weights of one of these bases; it says how to bring them."""
    for node, lacking in on_each_node(cluster, lacks, list(bases), os.getcwd()):
        if lacking:
            name, mend = lacking[0]
            more = "" if len(lacking) == 1 else f" (and {len(lacking) - 1} more)"
            raise ClusterError(f"{node.name} lacks the base {name}{more}. {mend}")


def lacks(bases: Iterable[BaseSettings], cwd: str) -> list[tuple[str, str]]:
    """Of bases that begin with weights, those that are not on this machine: what each is called, and what to do. cwd:
    where folders begin that are named by a relative path."""
    found = dict[str, str]()
    for base in bases:
        place = base.weights()
        if place is None or (cwd / Path(place).expanduser()).exists() or fetched_from_hub(place) is not None:
            continue
        if base.name in known():
            found[base.name] = f"Run there, once: graft bases get {base.name}"
        elif is_hub_id(place):
            found[place] = f"Run there, once: graft bases get {place}"
        else:
            found[f"in the folder {place}"] = "Copy the folder to the same path there, or put it on one that all share."
    return list(found.items())


def asks_of(cluster: Cluster, choices: Iterable[Sequence[BaseSettings]], what: str) -> Asks:
    """What a run with one base of each of these choices asks for: as many cores as OMP_NUM_THREADS says, else one; a
    GPU where it is to compute on one, and, unless a device is named, where any machine has one; memory for the weights,
    as if they were trained.

    Raises ClusterError where no machine has as much. what: it is, for people."""
    nodes = cluster.nodes
    text = os.environ.get(THREADS, "")
    threads = float(text) if text.isdigit() and int(text) > 0 else 1.0
    on_gpu = computes_on_gpus(cluster)
    memory = PROCESS + COPIES * sum(max(map(_bytes_of, bases), default=0) for bases in choices)
    asks = Asks(min(threads, max((node.cores for node in nodes), default=threads)), memory, float(on_gpu))
    check_room(nodes, asks, what)
    return asks


def computes_on_gpus(cluster: Cluster) -> bool:
    """Whether runs are to compute on GPUs: where one was named, or none was and a machine has any."""
    return chosen().type == CUDA or (asked() == AUTO and any(node.gpus for node in cluster.nodes))


def _bytes_of(base: BaseSettings) -> int:
    """Of the files of weights; 0 where it begins from scratch, or they are not here."""
    place = base.weights()
    if place is None:
        return 0
    folder = fetched_from_hub(place) or Path(place).expanduser()
    return sum(file.stat().st_size for file in folder.glob("*.safetensors")) if folder.is_dir() else 0


def device_of(asks: Asks) -> str:
    """Where a run computes that asks for this: on the one GPU that Ray shows to it, or on the processor."""
    return CUDA if asks.gpus else CPU
