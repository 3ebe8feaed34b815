"""Tables of an open set: whole identities validate, so that scores and thresholds are those of unseen ones."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from graftwork.data.splits import group_split
from graftwork.data.table import Table
from graftwork.errors import DataError
from graftwork.recipe import Recipe
from graftwork.tasks.labels import plural
from graftwork.tasks.task import Task

USUAL_HELD = 8
"""Identities that are held out, if that is no more than `MOST_SHARE` of them; else that share."""
MOST_SHARE = 0.4
FEWEST = 4


def hold_out_identities(table: Table, name: str, task: Task, recipe: Recipe) -> tuple[dict[str, Table], str]:
    """Split whole identities off, all their rows: `valid_share` of them, but not fewer than thresholds need.

    Raises DataError where there are fewer than 4 identities with two rows or more.
    """
    truth, labelled = _identities(task, table, name)
    codes, sizes = np.unique(truth[labelled], return_counts=True)
    if int((sizes > 1).sum()) < FEWEST:
        raise DataError(
            f"{table.source}: {plural(int((sizes > 1).sum()), 'identity', 'identities')} of {len(codes):,} in '{name}' "
            f"with two rows or more. Expected {FEWEST} or more: some to train on, and two others, held out whole, from "
            "which the threshold comes. Add identities, or give a validation table with other ones."
        )
    share = max(recipe.valid_share, min(MOST_SHARE, USUAL_HELD / len(codes)))
    groups = np.where(labelled, truth, len(codes) + 1 + np.arange(len(truth)))  # a row without a label is no identity
    known = np.flatnonzero(labelled)
    _, held = group_split(groups[known], share, recipe.seed)
    mask = np.zeros(len(table), bool)
    mask[known[held]] = True
    found = len(np.unique(truth[mask]))
    if found < 2:
        raise DataError(f"{table.source}: one identity has too large a part of the rows. Give a validation table.")
    note = (
        f"validation: {found:,} of {len(codes):,} identities ({int(mask.sum()):,} of {len(table):,} rows) held out "
        f"whole of {table.source} (seed {recipe.seed})"
    )
    return {"train": table.take(np.flatnonzero(~mask)), "valid": table.take(np.flatnonzero(mask))}, note


def learned_from_training(tasks: Mapping[str, Task], parts: Mapping[str, Table]) -> tuple[dict[str, Task], list[str]]:
    """The tasks, those of open sets learned again from the training rows alone; and notes on who stands in both.

    Raises DataError where all identities of the validation table are trained on.
    """
    settled, notes = dict(tasks), list[str]()
    for name, task in tasks.items():
        if not task.open_set:
            continue
        settled[name] = task.learn_rows(parts["train"], name)
        for part in ("valid", "test"):
            if part in parts:
                notes += _seen(settled[name], name, parts[part], part)
    return settled, notes


def _seen(task: Task, name: str, table: Table, part: str) -> list[str]:
    truth, labelled = _identities(task, table, name)
    codes = np.unique(truth[labelled])
    seen = int((codes < task.outputs).sum())
    if not seen:
        return []
    if seen == len(codes) and part == "valid":
        raise DataError(
            f"{table.source}: all {plural(seen, 'identity', 'identities')} of the validation rows are trained on. "
            "Expected others, since the threshold is for people never seen: give rows of other identities, or none, "
            "and some are held out. To recognise only those trained on, use --task classification."
        )
    return [
        f"{table.source}: {seen:,} of {plural(len(codes), 'identity', 'identities')} are trained on too, so scores "
        "there are too good"
    ]


def _identities(task: Task, table: Table, name: str) -> tuple[np.ndarray, np.ndarray]:
    found = task.encode_rows(table, name)
    assert found is not None, "a table without its target was refused while reading"
    return found
