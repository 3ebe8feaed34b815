"""What the driver asks of its workers: one run of one recipe on one job, in a folder of its own."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from graftwork.recipe import Recipe, from_dict
from graftwork.runs.clock import Deadline
from graftwork.runs.job.job import Job
from graftwork.runs.workers.job_files import read_job, write_job
from graftwork.runs.workspace import Workspace

REQUEST, JOB_FOLDER, RESULT, CHANNEL = "request.json", "job", "result", "channel"
"""Names in the folder of a request. The last two come later: what came of the run, and the socket of its channel."""


@dataclass(frozen=True)
class Request:
    """name: of the run. recipe: as `Recipe.to_dict` gives it. count: of workers.

    workspace: the folder where its checkpoints go; resume, sparing: see `Workspace`.
    ends, limit: the moments of `run_single`'s deadlines, in seconds since 1970, which all machines know. budget,
    shared: of the first one.
    """

    name: str
    recipe: dict[str, Any]
    count: int
    workspace: str
    resume: bool
    sparing: bool
    ends: float | None = None
    limit: float | None = None
    budget: float = 0.0
    shared: int = 1

    def recipe_of(self) -> Recipe:
        return from_dict(self.recipe, f"the recipe of {self.name}")

    def deadline(self) -> Deadline | None:
        """By when the run should be over, by a clock that all machines have."""
        return None if self.ends is None else Deadline(self.ends, time.time, self.budget, self.shared)

    def before_first_step(self) -> Deadline | None:
        """By when it must have come to its first step."""
        return None if self.limit is None else Deadline(self.limit, time.time)


def write_request(
    folder: Path,
    job: Job,
    recipe: Recipe,
    *,
    name: str,
    count: int,
    workspace: Workspace,
    deadline: Deadline | None,
    limit: Deadline | None,
) -> Request:
    """Write the request and its job into `folder`, which is private to this user."""
    assert workspace.folder is not None
    now = time.time()
    request = Request(
        name=name,
        recipe=recipe.to_dict(),
        count=count,
        workspace=str(workspace.folder.absolute()),
        resume=workspace.resume,
        sparing=workspace.sparing,
        ends=None if deadline is None else now + deadline.left(),
        limit=None if limit is None else now + limit.left(),
        budget=0.0 if deadline is None else deadline.budget,
        shared=1 if deadline is None else deadline.shared,
    )
    write_job(job, folder / JOB_FOLDER)
    (folder / REQUEST).write_text(json.dumps(asdict(request), ensure_ascii=False), encoding="utf-8")
    return request


def read_request(folder: Path) -> tuple[Request, Job]:
    """What `write_request` wrote."""
    told = json.loads((folder / REQUEST).read_text(encoding="utf-8"))
    return Request(**told), read_job(folder / JOB_FOLDER)
