"""Rows beside the training rows: without a target, or with one that a model gave them; all in the same table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from graftwork.data.load import load_like, with_levels
from graftwork.data.quality.checks import OnBadRows
from graftwork.data.read.source import Source
from graftwork.data.read.union import Part, anchored, union
from graftwork.data.table import Column, Schema, Table

LABELLED, UNLABELLED = "labelled", "unlabelled"
"""Names of the two domains where no column holds any."""


def with_unlabelled(train: Table, source: Source, on_bad_rows: OnBadRows) -> tuple[Table, list[str]]:
    """The training rows, then those of `source` without a target, whether it has one or not; and notes.

    source: a table with the training table's inputs. Where no column has the role domain, the two tables are two
    domains, `labelled` and `unlabelled`; where one has and `source` lacks it, its rows are a domain `unlabelled`.
    """
    loaded = load_like(source, train.schema, with_target=False, on_bad_rows=on_bad_rows)
    train = _with_domain(train, LABELLED)
    more = _with_domain(loaded.table, UNLABELLED, train.schema.role("domain"))
    note = f"unlabelled: {len(more):,} rows of {more.source}, the domain '{UNLABELLED}' unless a column says otherwise"
    return _joined(train, more, [one.name for one in train.schema.columns if one.role != "target"]), [
        *loaded.notes,
        note,
    ]


def with_rows(train: Table, more: Table) -> Table:
    """The training rows, then those of `more` without a target and without roles that it lacks; more: as the training
    table's schema reads it."""
    return _joined(train, more, [one.name for one in train.schema.columns if one.role != "target"])


@dataclass(frozen=True)
class Labelled:
    """Rows of a table to which a model gave a target.

    rows: their numbers in `source`, counted from 1 (K,). values: by target column, one a row, as it stands there.
    """

    source: Source
    rows: np.ndarray
    values: Mapping[str, Sequence[Any]]


def with_labelled(train: Table, given: Labelled, on_bad_rows: OnBadRows) -> tuple[Table, list[str]]:
    """The training rows, then those that were given a target; and notes. Validation rows are held out before."""
    loaded = load_like(given.source, train.schema, with_target=False, on_bad_rows=on_bad_rows)
    place = {int(row): at for at, row in enumerate(given.rows)}
    kept = [at for at, row in enumerate(loaded.table.rows.tolist()) if row in place]
    more = loaded.table.take(kept)
    order = [place[row] for row in more.rows.tolist()]
    for name, values in given.values.items():
        target = pa.array([values[at] for at in order], train.column(name).type)
        data = more.data.drop_columns([name]) if name in more.data.column_names else more.data
        more = replace(more, data=data.append_column(name, target))
    column = train.schema.role("domain")
    more = _with_domain(more, UNLABELLED, column) if column else more
    note = f"labelled by a model: {len(more):,} rows of {more.source}, none of them for validation"
    return _joined(train, more, [one.name for one in train.schema.columns]), [*loaded.notes, note]


def _joined(train: Table, more: Table, columns: Sequence[str]) -> Table:
    """The rows of both, of the second one with these columns only."""
    known = [name for name in columns if name in more.data.column_names]
    parts = [Part(anchored(train), train.source, None), Part(anchored(more).select(known), more.source, None)]
    joined = _filled(union(parts).data, train.schema)
    rows = np.concatenate([train.rows, np.arange(1, len(more) + 1) + int(train.rows.max(initial=0))])
    table = Table(joined, train.schema, train.source, rows)
    return replace(table, schema=with_levels(table))


def _with_domain(table: Table, value: str, column: Column | None = None) -> Table:
    """The table with a domain column; its own, or a new one (named as `column`, if given) that holds `value`."""
    if table.schema.role("domain") is not None:
        return table
    taken = table.data.column_names
    name = column.name if column else next(n for n in ("domain", "domain_", "domain__") if n not in taken)
    data = table.data.append_column(name, pa.array([value] * len(table), pa.string()))
    return replace(table, data=data, schema=Schema((*table.schema.columns, Column(name, "category", "domain"))))


def _filled(data: pa.Table, schema: Schema) -> pa.Table:
    """Rows without a weight count as much as others on average."""
    column = schema.role("weight")
    if column is None:
        return data
    values = data.column(column.name)
    mean = float(np.nanmean(values.to_numpy(zero_copy_only=False).astype(float)))
    return data.set_column(data.column_names.index(column.name), column.name, values.fill_null(mean))
