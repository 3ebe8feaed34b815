"""What each of several workers of a run cost, and how much of that was waiting for the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from graftwork.shown import counted


@dataclass(frozen=True)
class WorkerCost:
    """run: its name. worker: counted from 0. node: the machine. wall_seconds: of the whole run, reading and scoring
    included; cpu_seconds: of the process. memory: bytes at the peak, None where the platform does not say. reducing:
    seconds in which gradients were added up, waiting for the slowest worker included. rows: a second, of all workers
    together, in the steps and the validations between them; None where there were too few steps to tell."""

    run: str
    worker: int
    node: str
    wall_seconds: float
    cpu_seconds: float
    memory: int | None = None
    reducing: float = 0.0
    rows: float | None = None

    @property
    def share(self) -> float:
        """Of the wall time, how much went into adding up."""
        return self.reducing / self.wall_seconds if self.wall_seconds > 0 else 0.0


def sentence(costs: Sequence[WorkerCost]) -> str:
    """The workers of one run in a line."""
    nodes = dict.fromkeys(one.node for one in costs)
    on = f" on {counted(len(nodes), 'machine')}" if len(nodes) > 1 else ""
    speed = f" made {costs[0].rows:,.0f} rows a second together;" if costs[0].rows else ""
    share = max(one.share for one in costs)
    cpu = sum(one.cpu_seconds for one in costs)
    return (
        f"{costs[0].run}: {len(costs)} workers{on}{speed} {100 * share:.0f} % of the time went into adding up "
        f"gradients and waiting for each other, {cpu:,.0f} s of processor time in all"
    )


def to_json(costs: Sequence[WorkerCost]) -> list[dict[str, Any]]:
    """For metrics.json."""
    return [asdict(one) for one in costs]
