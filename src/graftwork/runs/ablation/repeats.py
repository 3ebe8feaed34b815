"""The repeats of an ablation: each has a seed and a split of its own, the same for every arm.

Of all training and validation rows a fifth is held out and scored: by class, whole groups where a column has that role,
rows with the same content together. The others are a job of their own, which holds its own validation rows out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa

from graftwork.data.contents import contents
from graftwork.data.table import Table
from graftwork.data.unlabelled import LABELLED
from graftwork.recipe import Recipe
from graftwork.runs.ablation.arms import Arm
from graftwork.runs.ablation.inputs import without_columns
from graftwork.runs.job.held_out import encoded, hold_out, split_off
from graftwork.runs.job.job import Job
from graftwork.runs.job.open_set import learned_from_training
from graftwork.tasks.task import Task

SHARE = 0.2
"""Of the labelled rows, held out on each repeat."""


@dataclass(frozen=True)
class Pool:
    """All rows that an ablation may train on or score: the training and the validation rows of a job, never its test
    rows."""

    job: Job
    table: Table

    @cached_property
    def contents(self) -> str:
        """A digest of what all rows hold and how their columns are read."""
        return contents(self.table)


@dataclass(frozen=True)
class Repeat:
    """train, valid, held: places in the pool (N,). tasks: as the training rows make them. unlabelled: of the training
    rows, how many have no label."""

    number: int
    seed: int
    pool: Pool
    train: np.ndarray
    valid: np.ndarray
    held: np.ndarray
    tasks: Mapping[str, Task]
    unlabelled: int = 0

    @property
    def trained_rows(self) -> int:
        """Labelled rows that a run is trained on, with those that it validates on. Others don't count: many of them
        would make intervals too narrow, though splits of the few labelled rows differ as much as without them."""
        return len(self.train) + len(self.valid) - self.unlabelled

    def job(self, arm: Arm) -> Job:
        """The job of an arm; the rows that are held out of it are its test rows."""
        table = without_columns(self.pool.table, arm.without)
        valid = table.take(self.valid) if len(self.valid) else None
        train, test = table.take(self.train), table.take(self.held)
        whole = replace(self.pool.job, train=train, valid=valid, test=test, tasks=dict(self.tasks), drawn_from=None)
        return whole.sample(arm.recipe.rows, self.seed, arm.recipe.valid_rows)

    def recipe(self, arm: Arm) -> Recipe:
        """The arm's recipe with the seed of the repeat."""
        return replace(arm.recipe, seed=self.seed)


def pool_of(job: Job) -> Pool:
    """Of a job, whose rows come back into the order of their table where validation rows were held out of it."""
    if job.valid is None:
        return Pool(job, job.train)
    data = pa.concat_tables([job.train.data, _like(job.train, job.valid)], promote_options="permissive")
    table = replace(job.train, data=data, rows=np.concatenate([job.train.rows, job.valid.rows]))
    if not np.intersect1d(job.train.rows, job.valid.rows).size:  # else both are numbered from 1: two tables
        table = table.take(np.argsort(table.rows, kind="stable"))
    return Pool(job, table)


def _like(train: Table, valid: Table) -> pa.Table:
    """The validation rows with the columns of the training rows; where unlabelled rows brought a domain, they are of
    the labelled ones."""
    data = valid.data.select([name for name in train.data.column_names if name in valid.data.column_names])
    domain = train.schema.role("domain")
    if domain is not None and domain.name not in data.column_names:
        data = data.append_column(domain.name, pa.array([LABELLED] * len(data), train.column(domain.name).type))
    return data


def repeat_of(pool: Pool, recipe: Recipe, number: int) -> Repeat:
    """Repeat `number`, counted from 0: a function of the pool, and of the recipe's seed and share of validation rows.

    Raises DataError where the rows can't be split (one group, too few identities).
    """
    seed, tasks = recipe.seed + number, pool.job.tasks
    table = replace(pool.table, rows=np.arange(len(pool.table)))  # so that a part says which rows it has
    labelled = np.any([encoded(table, name, task)[1] for name, task in tasks.items()], axis=0)
    known = np.flatnonzero(labelled)
    kept, held = split_off(table.take(known), tasks, replace(recipe, seed=seed, valid_share=SHARE))
    rest = table.take(known[kept])
    parts, _ = hold_out(rest, tasks, replace(recipe, seed=seed))
    valid = parts["valid"].rows if "valid" in parts else rest.rows[:0]
    train = np.setdiff1d(np.arange(len(table)), np.concatenate([known[held], valid]))
    settled, _ = learned_from_training(tasks, {"train": rest, **parts})
    return Repeat(number, seed, pool, train, valid, known[held], settled, len(table) - len(known))
