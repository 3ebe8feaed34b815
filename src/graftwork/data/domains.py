"""Which domain each row of a table belongs to, by its name."""

from __future__ import annotations

import warnings

import numpy as np

from graftwork.data.columns.convert import as_text
from graftwork.data.store.spool import slices
from graftwork.data.table import Schema, Table
from graftwork.data.unlabelled import LABELLED, UNLABELLED


def domain_names(table: Table) -> np.ndarray | None:
    """The domain of each row (N,), text or None; None where the table has no such column."""
    column = table.schema.role("domain")
    if column is None:
        return None
    values = [value for part in slices(table.column(column.name)) for value in as_text(part).to_pylist()]
    names: np.ndarray = np.array([*values, None], dtype=object)[:-1]
    return names


def lacking_domain(table: Table, schema: Schema) -> str:
    """What a user should know where training had a domain column and this table has none; else nothing."""
    column = schema.role("domain")
    made = column is not None and set(column.levels) <= {LABELLED, UNLABELLED}  # of two tables, by no column
    if column is None or made or table.schema.role("domain") is not None:
        return ""
    return (
        f"{table.source} has no column '{column.name}', which says the domain: each row counts as one of an unknown "
        "domain, and there are no scores by domain. Add the column, or rename the one that holds it."
    )


def warn_of_lacking_domain(table: Table, schema: Schema) -> None:
    """The same as a warning."""
    if told := lacking_domain(table, schema):
        warnings.warn(told, stacklevel=3)
