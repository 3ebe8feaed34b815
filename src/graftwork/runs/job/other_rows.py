"""Rows that are none of the classes (`other`): no class of the model, they teach from where on a row is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from graftwork.data.table import Table
from graftwork.errors import UsageError
from graftwork.runs.job.held_out import by_column
from graftwork.shown import counted
from graftwork.tasks.labels import labelled_as


@dataclass(frozen=True)
class OtherRows:
    """label: of these rows. parts: those of the training table, and of validation and test."""

    label: str
    parts: Mapping[str, Table]


def split_off(table: Table, label: str | None) -> tuple[Table, OtherRows | None]:
    """A training table without the rows that are none of the classes, and these; all of it where none are named.

    Raises UsageError where there is not one target, or where no row has the label.
    """
    if label is None:
        return table, None
    targets = table.schema.targets
    if len(targets) != 1 or targets[0].kind not in ("category", "text", "number"):
        told = ", ".join(column.name for column in targets) or "none"
        raise UsageError(f"--other is for a table with one target that holds one class a row; its targets: {told}.")
    rest, rows = _divided(table, targets[0].name, label)
    if not len(rows):
        raise UsageError(
            f"No row of {table.source} has '{label}' in '{targets[0].name}'. --other names the label of rows that are "
            "none of the classes. Without such rows leave it out, and give graft predict --other."
        )
    parts = {"train": rows} if table.schema.role("split") is None else by_column(rows, {})
    return rest, OtherRows(label, parts)


def without_other(table: Table, part: str, other: OtherRows | None) -> tuple[Table, OtherRows | None]:
    """The same of a validation or test table (`part`), which need have no such row."""
    if other is None:
        return table, None
    rest, rows = _divided(table, table.schema.targets[0].name, other.label)
    return rest, OtherRows(other.label, {**other.parts, part: rows}) if len(rows) else other


def other_note(other: OtherRows) -> str:
    """What is said of them before training."""
    rows = sum(map(len, other.parts.values()))
    return f"other: {counted(rows)} with '{other.label}' are no class, and teach from where on a row is none"


def _divided(table: Table, target: str, label: str) -> tuple[Table, Table]:
    marked = labelled_as(table.column(target), label)
    return table.take(np.flatnonzero(~marked)), table.take(np.flatnonzero(marked))
