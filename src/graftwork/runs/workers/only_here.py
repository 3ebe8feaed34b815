"""What the workers of a run would not find: techniques, bases, heads, tasks and metrics that one program has made."""

from __future__ import annotations

from graftwork.recipe import Recipe
from graftwork.runs.job.job import Job
from graftwork.tasks.metrics.registry import METRICS
from graftwork.tasks.registry import TASKS
from graftwork.techniques import TECHNIQUES


def why_only_here(job: Job, recipe: Recipe) -> str:
    """Why only this process can make a run with what its recipe and its job name; empty where others find it, too."""
    named = [*recipe.names(), *((TASKS, task.name) for task in job.tasks.values())]
    named += [(METRICS, name) for name in job.metrics.values() if name in METRICS]
    found = [f"the {known.what} {name}" for known, name in named if not known.known_elsewhere(name)]
    for technique in recipe.listed:  # one that has the name of another one
        if TECHNIQUES.get(technique.name, type(technique)) is not type(technique):
            found.append(f"the technique {technique.name}")
    return f"{found[0]} was made by this program, and workers find only what installed packages have" if found else ""
