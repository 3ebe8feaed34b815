"""Whether every machine of a cluster can do the work: its versions, packages, paths, and what it has of resources."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graftwork.cluster import facts as facts_module
from graftwork.cluster.connection import Cluster, Node
from graftwork.cluster.facts import facts
from graftwork.errors import ClusterError

SECONDS = 300.0
"""In which each machine has to start a process and say what it has."""


@dataclass(frozen=True)
class Asks:
    """What one piece of work takes: cores, memory (bytes, 0 where nobody knows), GPUs."""

    cores: float = 1.0
    memory: int = 0
    gpus: float = 0.0


@dataclass(frozen=True)
class Needs:
    """What every machine must have. packages: to import, with what installs each. paths: that it must see, with what
    they are for people."""

    packages: Mapping[str, str] = field(default_factory=dict)
    paths: Mapping[str, str] = field(default_factory=dict)


def check_nodes(cluster: Cluster, needs: Needs | None = None) -> None:
    """Raise ClusterError for the first machine that runs another Graftwork, Python or Ray than this one, or lacks what
    is needed; it names the machine, what was found and expected, and how to mend it."""
    needs = needs or Needs()
    expected = facts((), ())
    asked = (list(needs.packages), list(needs.paths))
    for node, found in on_each_node(cluster, facts, *asked):
        check_facts(node, found, expected, needs)


def check_facts(node: Node, found: Mapping[str, Any], expected: Mapping[str, Any], needs: Needs) -> None:
    """The same of what one machine said. Paths are named by what they are, not as they are written."""
    same = "Use the same versions on all machines: one image, or one environment made from the same file."
    for name, called in (("python", "Python"), ("ray", "Ray"), ("graftwork", "Graftwork")):
        if found[name] != expected[name]:
            there = f"has no {called}" if not found[name] else f"runs {called} {found[name]}"
            mend = 'pip install "graftwork[cluster]" there. ' if not found[name] else ""
            raise ClusterError(f"{node.name} {there}, and this machine {called} {expected[name]}. {mend}{same}")
    if found["source"] != expected["source"]:
        raise ClusterError(
            f"{node.name} runs Graftwork {found['graftwork']} as this machine does, but with other files, so that its "
            f"results could differ. {same}"
        )
    for name in found["lacks"]:
        raise ClusterError(f"{node.name} lacks the package {name}, which this needs. There: {needs.packages[name]}")
    for path in found["unseen"]:
        raise ClusterError(
            f"{node.name} does not see {needs.paths[path]}, which this machine does. Put it on a path that all "
            "machines share, under the same name, or copy it to each."
        )


def check_room(nodes: Sequence[Node], asks: Asks, what: str) -> None:
    """Raise ClusterError where no machine has what one piece of work asks for. what: it is, for people."""
    if any(fits(node, asks) for node in nodes):
        return
    for name, wanted in (("cores", asks.cores), ("GPUs", asks.gpus), ("memory", asks.memory)):
        most = max(nodes, key=lambda one: _of(one, name), default=None)
        if most is None:
            raise ClusterError("The cluster has no machine that is alive.")
        if _of(most, name) < wanted:
            raise ClusterError(
                f"{what} asks for {_amount(wanted, name)}, and the most that a machine has is "
                f"{_amount(_of(most, name), name)} ({most.name}). Add one with more to the cluster, or ask for less."
            )
    raise ClusterError(f"{what} asks for more than any single machine has: {asks}.")


def fits(node: Node, asks: Asks) -> bool:
    """Whether a machine that does nothing else could do it."""
    return node.cores >= asks.cores and node.gpus >= asks.gpus and node.memory >= asks.memory


def room(nodes: Sequence[Node], asks: Asks) -> int:
    """How many pieces of work find a place at the same time on machines that do nothing else."""
    wanted = {"cores": asks.cores, "GPUs": asks.gpus, "memory": asks.memory}
    return sum(min((int(_of(node, name) / one) for name, one in wanted.items() if one), default=0) for node in nodes)


def on_each_node(cluster: Cluster, function: Callable[..., Any], *given: Any) -> list[tuple[Node, Any]]:
    """What a function gives on each machine, all at once. A function of `facts` goes there by value, others by name.

    Raises ClusterError where a machine does not answer."""
    import ray
    from ray import cloudpickle
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    nodes = cluster.nodes
    cloudpickle.register_pickle_by_value(facts_module)
    try:
        remote = ray.remote(num_cpus=0, max_retries=1)(function)
        begun = [
            remote.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node.id, soft=False)).remote(*given)
            for node in nodes
        ]
    finally:
        cloudpickle.unregister_pickle_by_value(facts_module)
    found = []
    for node, one in zip(nodes, begun, strict=True):
        try:
            found.append((node, ray.get(one, timeout=SECONDS)))
        except ray.exceptions.GetTimeoutError:
            raise ClusterError(
                f"{node.name} gave no answer within {SECONDS:.0f} s. Look at it with `ray status`."
            ) from None
        except ray.exceptions.RayTaskError as error:
            own = isinstance(error.cause, ClusterError)
            raise (error.cause if own else _failed(node, error)) from None
        except ray.exceptions.RayError as error:
            raise _failed(node, error) from None
    return found


def _failed(node: Node, error: Exception) -> ClusterError:
    lines = [line for line in str(error).strip().splitlines() if line.strip()]
    return ClusterError(
        f"{node.name} could not say what it has: {lines[-1].strip() if lines else type(error).__name__}"
    )


def _of(node: Node, name: str) -> float:
    return {"cores": node.cores, "GPUs": node.gpus, "memory": node.memory}[name]


def _amount(value: float, name: str) -> str:
    return f"{value / 1e9:.1f} GB of memory" if name == "memory" else f"{value:g} {name}"
