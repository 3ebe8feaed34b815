"""The training rows of a run, made ready: all of them prepared, or streamed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from graftwork.core.frozen.streamed import streamed
from graftwork.core.rows.examples import Examples
from graftwork.data.table import Table
from graftwork.errors import UsageError
from graftwork.networks.network import Network
from graftwork.recipe import Recipe
from graftwork.runs.job.job import Job


def training_rows(
    job: Job, recipe: Recipe, network: Network, examples: Callable[[Table], Examples], *, sketched: bool
) -> Examples:
    """Streamed where the recipe says so and there are more rows than are kept. examples: how a table is prepared."""
    first = recipe.kept_rows
    if first is not None and recipe.rows is None:
        raise UsageError(f"kept_rows is {first}, and rows says nothing of how many are streamed. Give rows as well.")
    if first is None or first >= len(job.train) or not job.in_drawn_order:
        return examples(job.train)
    if sketched:
        return replace(examples(job.train), first=examples(job.train.take(np.arange(first))))
    return streamed(job.train, network, job.tasks, recipe.text, first, in_blocks=True)


def first_rows(job: Job, recipe: Recipe) -> Table:
    """Those of the training rows that are kept: all, or where the others are streamed the first ones."""
    first = recipe.kept_rows
    if first is None or first >= len(job.train) or not job.in_drawn_order:
        return job.train
    return job.train.take(np.arange(first))
