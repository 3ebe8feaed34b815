"""Who starts the workers of a run: torchrun on this machine, or a cluster. A run does not know which."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from graftwork.evidence.workers import WorkerCost
from graftwork.recipe import Recipe
from graftwork.runs.job.job import Job
from graftwork.runs.listener import Listener
from graftwork.runs.workers.request import Request


class Starting(Protocol):
    """Starts so many workers for each run of a call."""

    @property
    def count(self) -> int:
        """How many workers each run has."""

    def look(self, job: Job, recipe: Recipe) -> None:
        """Raise ClusterError where the workers could not make a run of this recipe on this job."""

    def train(self, folder: Path, request: Request, batch: int, listener: Listener) -> tuple[WorkerCost, ...]:
        """Have the request in `folder` trained; what came of it lies there afterwards. Gives what each worker cost.
        batch: rows of a step. Raises what `watched` raises."""
