"""Why a plan refuses a recipe, found out before it is run; nothing is trained."""

from __future__ import annotations

import gc
from dataclasses import replace

from graftwork.data.store.cache import of_disk
from graftwork.errors import GraftworkError
from graftwork.recipe import Recipe
from graftwork.runs.default import failure_text
from graftwork.runs.job.job import Job
from graftwork.runs.single.run import make_ready

SEEN = 64
"""Rows on which a plan is made: whether it composes does not depend on how many there are."""


def refused(job: Job, recipe: Recipe) -> str:
    """Why a recipe with its techniques listed can't be run on this job, as the plan says it; "" where it can.

    What fails in any other way, as of memory, is not run either. Raises DataError where the disk is full.
    """
    small = replace(recipe, rows=None, valid_rows=None)
    try:
        make_ready(job.sample(SEEN, recipe.seed, SEEN), small, sketched=True)
    except Exception as error:  # also what a technique of the user's own raises, and memory that its weights don't get
        if of_disk(error):
            raise
        if isinstance(error, GraftworkError):
            return " ".join(str(error).split())
        gc.collect()
        return failure_text(error)
    return ""
