"""The training rows of one of the runs of a call: those of the job, more that are streamed, or fewer of them.

A better base that has no time to read all rows reads as many as there is time for, beside all that validate: on some of
the rows its probe is often ahead of a worse one's on all.
"""

from __future__ import annotations

from dataclasses import replace

from graftwork.data.table import Table
from graftwork.recipe import Recipe
from graftwork.runs.job.held_out import drawn
from graftwork.runs.job.job import Job

READING = 0.7
"""Of the time for a probe, what the pass of its base over the rows may take; the rest is for its head."""
TOO_FEW = "there is time for too few rows"
"""Why such a probe is left out."""
FEWEST, OF_CLASS = 200, 8
"""Training rows, and those of each class on average, without which a probe of it is not worth while."""


def job_of(job: Job, recipe: Recipe) -> Job:
    """The job of one of the runs, with the same validation rows: for a streamed one with the rows that it streams, for
    one with fewer rows than the others with a sample of theirs, in the order in which they are drawn."""
    rows, streams = len(job.train), recipe.kept_rows is not None
    if recipe.rows is None or (job.in_drawn_order and (recipe.rows <= rows if streams else recipe.rows >= rows)):
        return job
    if job.drawn_from is None if streams else recipe.rows > rows:
        return job
    return with_train(job, recipe.rows, recipe.seed)


def with_train(job: Job, rows: int, seed: int) -> Job:
    """The job on so many of all its training rows, in the order in which they are drawn; those that validate stay."""
    every = job.train if job.drawn_from is None else job.drawn_from
    return replace(job, train=drawn(every, job.tasks, rows, seed), drawn_from=every)


def on_rows(job: Job, recipe: Recipe, rows: int | None) -> Recipe:
    """A recipe on so many training rows and all that validate; None: as it is."""
    return recipe if rows is None else replace(recipe, rows=rows, valid_rows=len(job.valid or ()) or None)


def in_blocks(job: Job, recipe: Recipe, table: Table) -> bool:
    """Whether the run of a recipe has read these held-out rows block by block, so that their features are found so."""
    return table is job.valid and recipe.rows is not None


def rows_in_time(job: Job, row: float, seconds: float) -> int:
    """How many training rows a base has time to read, beside all that validate; 0 where they are too few to learn from.
    row: seconds for one."""
    fit = min(int(seconds / row) - len(job.valid or ()), len(job.train))
    return fit if fit >= fewest(job) else 0


def fewest(job: Job) -> int:
    """Training rows without which a probe of a better base is not worth while."""
    return min(max(FEWEST, OF_CLASS * job.classes), len(job.train))
