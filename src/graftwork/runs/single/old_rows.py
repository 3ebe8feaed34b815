"""Rows of an old task behind the training rows, where techniques ask for them: read, drawn, held against the base."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from graftwork.bases.tables_read import TableRead, tables_read
from graftwork.core.rows.examples import encoders_of
from graftwork.core.rows.old_rows import OldRows
from graftwork.data.load import load_like
from graftwork.data.store.cache import digest
from graftwork.data.table import Table
from graftwork.data.unlabelled import with_rows
from graftwork.errors import DataError, RefusedError
from graftwork.networks.heads.head import Head
from graftwork.recipe import Recipe
from graftwork.runs.job.held_out import drawing_order, strata
from graftwork.runs.job.job import Job
from graftwork.runs.job.old_model import OldModel, old_model
from graftwork.saving import Saved


def with_old_rows(job: Job, recipe: Recipe) -> tuple[Job, Mapping[str, OldRows]]:
    """The job with the old rows that the techniques ask for behind its training rows, without a target of the new task;
    and what is known of them, by table. The same job where none is asked for.

    Raises UsageError where the base is no saved model, RefusedError where its head reads something else than what the
    run gives, DataError for a table that lacks a column or a label.
    """
    parts = [_read(job, recipe, name, path, share) for name, path, share in _asked(recipe)]
    if not parts:
        return job, {}
    joined, ends = job.train, [len(job.train)]
    for _, _, more in parts:
        joined = with_rows(joined, more)
        ends.append(len(joined))
    found = {
        path: _known(old, table, start, len(joined))
        for (_, path, _), (old, table, _), start in zip(_asked(recipe), parts, ends, strict=False)
    }
    return replace(job, train=joined), found


def old_tables_read(job: Job, recipe: Recipe) -> list[TableRead]:
    """Which tables these are."""
    parts = [(path, _read(job, recipe, name, path, share)[1]) for name, path, share in _asked(recipe)]
    return [one for path, table in parts for one in tables_read("replayed", path, table)]


def _asked(recipe: Recipe) -> list[tuple[str, str, float]]:
    """Technique, table and share."""
    return [(one.name, path, share) for one in recipe.listed for path, share in one.old_tables.items()]


def _read(job: Job, recipe: Recipe, name: str, path: str, share: float) -> tuple[OldModel, Table, Table]:
    """The old model, and the rows that are drawn: as it reads them, and as the run does."""
    old = old_model(recipe, job.train.schema, name)
    _check(name, old, recipe, job)
    table = load_like(path, old.saved.schema, with_target=True, on_bad_rows="fail").table
    as_new = load_like(path, job.train.schema, with_target=False, on_bad_rows="fail").table
    labelled = [task.encode_rows(table, target) for target, task in old.saved.tasks.items()]
    if not any(found is not None and found.labelled.any() for found in labelled):
        raise DataError(
            f"{name}: {table.source} has no row with a label of {' or '.join(map(repr, old.saved.tasks))}, which "
            f"{old.name} predicts. Expected labelled rows of the old task."
        )
    rows = max(1, round(share / (1.0 - share) * len(job.train)))
    picked = drawing_order(strata(table, dict(old.saved.tasks)), len(table), recipe.seed)[:rows]
    return old, table.take(picked), as_new.take(picked)


def _known(old: OldModel, table: Table, start: int, total: int) -> OldRows:
    """table: the old rows, which stand from `start` on among `total` training rows."""
    saved = old.saved
    encoded = {
        name: task.encode_rows(table, name, encoders_of(saved.network, saved.recipe.text))
        for name, task in saved.tasks.items()
    }
    found = {name: each for name, each in encoded.items() if each is not None}
    targets, labelled = {}, {}
    for name, (values, there) in found.items():
        targets[name] = np.zeros((total, *values.shape[1:]), values.dtype)
        targets[name][start : start + len(table)] = values
        labelled[name] = np.zeros(total, bool)
        labelled[name][start : start + len(table)] = there
    weights = [tensor.numpy() for _, head in saved.network.each_head() for tensor in head.state_dict().values()]
    return OldRows(
        tasks={name: saved.tasks[name] for name in found},
        targets=targets,
        labelled=labelled,
        heads=partial(_heads, saved),
        key=digest(*targets, *targets.values(), *labelled.values(), *weights),
    )


def _heads(saved: Saved) -> dict[str, Head]:
    return {name: copy.deepcopy(head) for name, head in saved.network.each_head()}


def _check(name: str, old: OldModel, recipe: Recipe, job: Job) -> None:
    """Raise RefusedError where the old head can't read what the run gives."""
    saved = old.saved
    inputs = [one.name for one in recipe.read(job.train.schema)]
    if len(inputs) > 1 or len(saved.network.columns) > 1 or saved.network.film is not None:
        raise RefusedError(
            f"{name} works where the old model and the run read one input each, and no domain: {old.name} reads "
            f"{', '.join(saved.network.columns)}, the run {', '.join(inputs)}. Use --inputs, l2-sp or wise-ft."
        )
    for target, head in saved.network.each_head():
        task = saved.tasks[target]
        if head.reads != "rows" or not head.has_gradient or task.holds_out == "classes" or task.target != "column":
            raise RefusedError(
                f"{name}: the head of '{target}' in {old.name} ({task.name}, {head.spec}) does not read a vector a row "
                "by a gradient. Use l2-sp or wise-ft, which work with any head."
            )
