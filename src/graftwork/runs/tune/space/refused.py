"""Why a plan refuses a recipe, found out before it is run; nothing is trained."""

from __future__ import annotations

from dataclasses import replace

from graftwork.errors import GraftworkError
from graftwork.recipe import Recipe
from graftwork.runs.job.job import Job
from graftwork.runs.single.run import make_ready

SEEN = 64
"""Rows on which a plan is made: whether it composes does not depend on how many there are."""


def refused(job: Job, recipe: Recipe) -> str:
    """Why a recipe with its techniques listed can't be run on this job, as the plan says it; "" where it can.

    Raises UsageError where the techniques are not listed.
    """
    small = replace(recipe, rows=None, valid_rows=None)
    try:
        make_ready(job.sample(SEEN, recipe.seed, SEEN), small, sketched=True)
    except GraftworkError as error:
        return " ".join(str(error).split())
    return ""
