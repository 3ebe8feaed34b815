"""Tables of an open set: whole identities validate, so that scores and thresholds are those of unseen ones."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from graftwork.data.splits import group_split
from graftwork.data.table import Table
from graftwork.errors import DataError
from graftwork.recipe import Recipe
from graftwork.shown import counted
from graftwork.tasks.task import Task
from graftwork.uses.few_shot import check_table

USUAL_HELD = 8
"""Identities that are held out, if that is no more than `MOST_SHARE` of them; else that share."""
MOST_SHARE = 0.4
LEFT = 2
"""Identities to train on at least."""


def hold_out_identities(table: Table, name: str, task: Task, recipe: Recipe) -> tuple[dict[str, Table], str]:
    """Split whole identities (or classes) off, all their rows: `valid_share` of them, but not fewer than scores need.

    Raises DataError where there are too few with two rows or more.
    """
    truth, labelled = _identities(task, table, name)
    codes, sizes = np.unique(truth[labelled], return_counts=True)
    least, held_least = task.held_classes + LEFT, task.held_classes
    if int((sizes > 1).sum()) < least:
        raise DataError(
            f"{table.source}: {counted(int((sizes > 1).sum()), *task.unit)} of {len(codes):,} in '{name}' with two "
            f"rows or more. Expected {least} or more: some to train on, and {held_least} others, held out whole, by "
            f"which the run is judged. Add {task.unit[1]}, or give a validation table with other ones."
        )
    share = max(recipe.valid_share, min(MOST_SHARE, USUAL_HELD / len(codes)))
    share = max(share, held_least / len(codes))
    groups = np.where(labelled, truth, len(codes) + 1 + np.arange(len(truth)))  # a row without a label is no identity
    known = np.flatnonzero(labelled)
    _, held = group_split(groups[known], share, recipe.seed)
    mask = np.zeros(len(table), bool)
    mask[known[held]] = True
    found = len(np.unique(truth[mask]))
    if found < held_least:
        raise DataError(
            f"{table.source}: {counted(found, *task.unit)} could be held out, since some have a large part of the "
            f"rows. Expected {held_least} or more. Give a validation table."
        )
    note = (
        f"validation: {found:,} of {len(codes):,} {task.unit[1]} ({int(mask.sum()):,} of {len(table):,} rows) held out "
        f"whole of {table.source} (seed {recipe.seed})"
    )
    return {"train": table.take(np.flatnonzero(~mask)), "valid": table.take(np.flatnonzero(mask))}, note


def learned_from_training(tasks: Mapping[str, Task], parts: Mapping[str, Table]) -> tuple[dict[str, Task], list[str]]:
    """The tasks, those of open sets learned again from the training rows alone; and notes on who stands in both.

    Raises DataError where all identities of the validation table are trained on.
    """
    settled, notes = dict(tasks), list[str]()
    for name, task in tasks.items():
        if task.holds_out == "rows":
            continue
        settled[name] = task.learn_rows(parts["train"], name)
        for part in ("valid", "test"):
            if part in parts:
                if task.validation_episodes is not None:
                    check_table(parts[part], name, task.validation_episodes)
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
            f"{table.source}: all {counted(seen, *task.unit)} of the validation rows are trained on. Expected others, "
            f"since the model is for {task.unit[1]} never seen: give rows of other ones, or none, and some are held "
            "out. To recognise only those trained on, use --task classification."
        )
    return [
        f"{table.source}: {seen:,} of {counted(len(codes), *task.unit)} are trained on too, so scores there are "
        "too good"
    ]


def _identities(task: Task, table: Table, name: str) -> tuple[np.ndarray, np.ndarray]:
    found = task.encode_rows(table, name)
    assert found is not None, "a table without its target was refused while reading"
    return found
