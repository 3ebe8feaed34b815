"""What a worker costs: how long its process takes, and how much of that it adds up gradients and waits for others."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any

from torch import nn

from graftwork.core.parallel.workers import Joined, Workers
from graftwork.runs.peak_memory import peak_memory


@dataclass(frozen=True)
class Measured(Joined):
    """The same workers, with a look at the clock. reducing: seconds, of each time that gradients were added up."""

    reducing: list[float] = field(default_factory=list, repr=False)

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        begun = time.monotonic()
        super().sum_gradients(parameters)
        self.reducing.append(time.monotonic() - begun)


def measured(workers: Workers) -> Workers:
    """The workers with a look at the clock; the same where there is one only."""
    if not isinstance(workers, Joined):
        return workers
    return Measured(**{one.name: getattr(workers, one.name) for one in fields(workers)})


@dataclass
class Spending:
    """The clocks of this process since it was made, and what `Measured` saw."""

    wall: float = field(default_factory=time.monotonic)
    cpu: float = field(default_factory=time.process_time)

    def told(self, workers: Workers) -> dict[str, Any]:
        """What a `WorkerCost` holds of this worker, as plain data."""
        return {
            "worker": workers.index,
            "node": socket.gethostname(),
            "wall_seconds": time.monotonic() - self.wall,
            "cpu_seconds": time.process_time() - self.cpu,
            "memory": peak_memory(),
            "reducing": sum(workers.reducing) if isinstance(workers, Measured) else 0.0,
        }
