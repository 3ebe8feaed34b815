"""The cluster of a call, reached and checked before anything is read; or none, where all runs are made here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from graftwork.errors import UsageError

if TYPE_CHECKING:
    from graftwork.cluster.connection import Cluster
    from graftwork.runs.listener import Listener


@contextmanager
def reached(address: str | None, listener: Listener, *, insecure: bool = False) -> Iterator[Cluster | None]:
    """The cluster at an address, for as long as the block lasts, and what it has told; None without an address.

    Raises as `connected` does; ClusterError where a machine runs another Graftwork, Python or Ray; UsageError for
    `insecure` without a cluster."""
    if address is None:
        if insecure:
            raise UsageError("--insecure says which clusters may be used: give --cluster too, or leave it out.")
        yield None
        return
    from graftwork.cluster.checks import check_nodes
    from graftwork.cluster.connection import connected
    from graftwork.shown import counted

    listener.doing("reaching the cluster")
    with connected(address, insecure=insecure) as cluster:
        check_nodes(cluster)
        nodes = cluster.nodes
        cores = sum(node.cores for node in nodes)
        where = "this machine alone" if cluster.own else f"the cluster at {cluster.address}"
        listener.note(f"runs are made on {where}: {counted(len(nodes), 'machine')} with {cores:g} cores")
        yield cluster
