"""`job_of`: a job of a table, as short as tests want it."""

from __future__ import annotations

from typing import Any

from graftwork.recipe import Recipe
from graftwork.runs.job.data_arguments import DataArguments
from graftwork.runs.job.job import Job, make_job


def job_of(train: Any, recipe: Recipe, **more: Any) -> Job:
    """`make_job`; `more` are further data arguments."""
    return make_job(DataArguments(train=train, **more), recipe)
