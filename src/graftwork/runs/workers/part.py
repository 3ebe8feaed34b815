"""What each worker does of a run, wherever it was started: trains its part; the first one writes what came of it."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from graftwork.core.parallel.workers import Workers
from graftwork.runs.clock import Deadline, shared
from graftwork.runs.job.job import Job
from graftwork.runs.listener import Listener
from graftwork.runs.single.run import run_single
from graftwork.runs.workers.measured import measured
from graftwork.runs.workers.outcome import write_outcome
from graftwork.runs.workers.request import Request
from graftwork.runs.workers.telling import Telling
from graftwork.runs.workspace import Workspace


@dataclass(frozen=True)
class Part:
    """A request and its job. workspace: the folder for its checkpoints; result: the new one for what comes of it.
    again: whether all were started before, and go on."""

    request: Request
    job: Job
    workspace: Path
    result: Path
    again: bool


def train_part(part: Part, plain: Workers, tell: Callable[[Mapping[str, Any]], None]) -> Workers:
    """Train it as one of these workers, which are given back with what `Measured` saw. tell: what takes a message for
    the driver; worker 0 tells how far it is."""
    request, workers = part.request, measured(plain)
    with warnings.catch_warnings():
        if workers.leads:
            warnings.showwarning = lambda text, kind, *_, **__: _warned(tell, text, kind)
        resume = request.resume or part.again
        done = run_single(
            part.job,
            request.recipe_of(),
            name=request.name,
            workspace=Workspace(part.workspace, resume, request.sparing, workers),
            listener=Telling(tell) if workers.leads else Listener(),
            deadline=shared(request.deadline(), workers),
            limit=_limit(request, workers),
        )
        if workers.leads:
            write_outcome(done, part.job, part.result)
    return workers


def _limit(request: Request, workers: Workers) -> Deadline | None:
    """By when the first step must have come: worker 0 looks, whose outcome is that of all."""
    limit = request.before_first_step()
    return limit if limit is None or workers.leads else replace(limit, at=math.inf)


def _warned(tell: Callable[[Mapping[str, Any]], None], text: Warning | str, kind: type[Warning]) -> None:
    if issubclass(kind, UserWarning):
        tell({"warning": str(text)})
