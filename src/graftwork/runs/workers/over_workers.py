"""A run of a call, trained by several workers in place of this process alone: the same arguments, the same result."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from graftwork.core.parallel.workers import Workers
from graftwork.evidence.workers import sentence
from graftwork.recipe import Recipe
from graftwork.runs.clock import Deadline
from graftwork.runs.job.job import Job
from graftwork.runs.listener import Listener
from graftwork.runs.single.run import Candidate, make_ready, run_single
from graftwork.runs.workers.checks import check_rows, why_alone
from graftwork.runs.workers.job_files import why_not_written
from graftwork.runs.workers.only_here import why_only_here
from graftwork.runs.workers.outcome import read_outcome
from graftwork.runs.workers.request import RESULT, write_request
from graftwork.runs.workers.starting import Starting
from graftwork.runs.workspace import Workspace


@dataclass(frozen=True)
class OverWorkers:
    """starting: the workers of each run. asked: the recipe of the call, each of whose runs has its own."""

    starting: Starting
    asked: Recipe

    def run(
        self,
        job: Job,
        recipe: Recipe,
        *,
        name: str,
        workspace: Workspace,
        listener: Listener,
        deadline: Deadline | None = None,
        limit: Deadline | None = None,
    ) -> Candidate:
        """`run_single`, whose steps all workers make together. A run that has no steps, and one that can't be handed
        out, is made by this process alone, and that is said.

        Raises what `run_single` raises, RefusedError for a technique that can't be split among workers, WorkersError
        where workers are lost again and again, and ClusterError where a cluster can't make it.
        """
        count = self.starting.count
        self.starting.look(job, recipe)
        why, batch = self._looked_at(job, recipe, name)
        if why:
            listener.note(f"{name}: by one process: {why}")
            recipe = replace(recipe, training=replace(recipe.training, sharded=False))
            return run_single(
                job, recipe, name=name, workspace=workspace, listener=listener, deadline=deadline, limit=limit
            )
        with private_folder() as folder:
            listener.doing(f"{name}: starting {count} workers")
            if workspace.folder is None:  # for those that are started again
                workspace = replace(workspace, folder=folder / "work")
            request = write_request(
                folder,
                job,
                recipe,
                name=name,
                count=count,
                workspace=workspace,
                deadline=deadline,
                limit=limit,
            )
            costs = self.starting.train(folder, request, batch, listener)
            listener.note(sentence(costs))
            done = read_outcome(folder / RESULT, recipe)
            return replace(done, workers=costs, cpu=sum(one.cpu_seconds for one in costs))

    def _looked_at(self, job: Job, recipe: Recipe, name: str) -> tuple[str, int]:
        """Why this process makes the run by itself, empty where workers do; and the rows of a step. Raises RefusedError
        and UsageError where they can't."""
        if why := why_alone(self.asked, recipe):
            return why, recipe.training.batch
        run = make_ready(job, recipe, sketched=True, workers=Workers(0, self.starting.count))
        check_rows(run, name)
        why = why_only_here(job, recipe) or why_not_written(job)
        if run.stages.aims:
            why = "it keeps the model that a reward began from, for the report"
        if run.plan.total_steps == 0:
            why = "it makes no steps that workers could share"
        return why, run.plan.step_rows or run.training.batch


@contextmanager
def private_folder() -> Iterator[Path]:
    """A folder that only this user may enter, with a name that is short enough for a socket; gone afterwards."""
    place = Path(tempfile.mkdtemp(prefix="graft-"))
    if len(str(place)) > 80:
        place.rmdir()
        place = Path(tempfile.mkdtemp(prefix="graft-", dir="/tmp"))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)
