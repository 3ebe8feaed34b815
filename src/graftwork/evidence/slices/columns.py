"""What the rows of a table can be divided by: its columns, be they read or not, and how long texts are."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graftwork.data.columns.convert import as_text, read_dates, to_numbers
from graftwork.data.columns.kinds import is_string, judge, sample
from graftwork.data.store.spool import slices
from graftwork.data.table import Table
from graftwork.errors import UsageError, nearest
from graftwork.evidence.slices.partition import QUARTERS, Kind, Partition, of_numbers, of_values
from graftwork.shown import counted

MOST_VALUES = 50
"""A column with more different values is a name of rows rather than of groups."""
_ROWS_A_VALUE = 2
_MEDIA = ("text", "image", "audio")
LENGTH = "length"
"""`length(COLUMN)` asks for the lengths of a column of texts."""


def table_partitions(table: Table, target: str = "") -> list[Partition]:
    """By each column that groups rows, and by the length of each text that is read. target: is left out, since what
    its values are called is known to the task."""
    kinds = {column.name: column for column in table.schema.columns}
    found = list[Partition]()
    for name in table.data.column_names:
        column = kinds.get(name)
        if name == target or (
            column is not None and column.role in ("weight", "split", "reward", "propensity", "step")
        ):
            continue
        if column is not None and column.role is None and column.kind in _MEDIA:
            part = _by_length(table, name) if column.kind == "text" else None
        else:
            part = _by_value(table, name)
        if part is not None and len(part.groups) > 1:
            found.append(part)
    return found


def asked_partition(table: Table, asked: str) -> Partition:
    """By the column of this name, or by `length(COLUMN)`.

    Raises UsageError where there is no such column, or where too many of its values differ.
    """
    names = table.data.column_names
    inner = asked.removeprefix(f"{LENGTH}(").removesuffix(")") if asked.startswith(f"{LENGTH}(") else ""
    if asked not in names and not inner:
        hint = nearest(asked, names)
        raise UsageError(f"{table.source} has no column '{asked}' to score by. {hint}")
    if asked not in names:
        if inner not in names:
            raise UsageError(f"{table.source} has no column '{inner}' to score by. {nearest(inner, names)}")
        found = _by_length(table, inner)
        if found is None:
            raise UsageError(f"The column '{inner}' of {table.source} holds no texts. Score by the column itself.")
        return found
    found = _by_value(table, asked)
    if found is None:
        different = _different(table.column(asked))
        text = is_string(table.column(asked).type)
        hint = f" Score by 'length({asked})', or by a column that groups rows." if text else ""
        held = f"{different:,} different values in {counted(len(table))}" if different else "no single values"
        raise UsageError(f"The column '{asked}' of {table.source} has {held}: too many to score by.{hint}")
    return found


def _by_value(table: Table, name: str) -> Partition | None:
    """None where the column holds no single values, or nearly as many as rows."""
    column = next((column for column in table.schema.columns if column.name == name), None)
    kind: Kind = "domain" if column is not None and column.role == "domain" else "column"
    values = table.column(name)
    if column is None:  # nothing has been read of it yet: csv holds text alone
        values = _read(table, name)
    if pa.types.is_temporal(values.type):
        return _by_time(kind, name, values)
    if pa.types.is_boolean(values.type):
        return of_values(kind, name, [None if one is None else str(one) for one in values.to_pylist()])
    different = _different(values)
    if not different:
        return None
    if pa.types.is_integer(values.type) or pa.types.is_floating(values.type) or pa.types.is_decimal(values.type):
        ids = pa.types.is_integer(values.type) and different == len(values) > MOST_VALUES
        return None if ids else of_numbers(kind, name, _floats(values))
    if different > MOST_VALUES or different * _ROWS_A_VALUE > len(values):
        return None
    return of_values(kind, name, _texts(values))


def _read(table: Table, name: str) -> pa.ChunkedArray:
    """A column that no training read: numbers and dates that are written as text become such, ids stay as they are."""
    values = table.column(name)
    if not is_string(values.type) or _different(values) <= QUARTERS:
        return values
    sampled = sample(table.data.select([name]))
    found = judge(name, sampled.column(name), sampled.schema.field(name), table.folder)
    if found.shape == "number":
        return to_numbers(values, found.form)[0]
    return read_dates(values, found.form)[0] if found.shape == "date" else values


def _different(values: pa.ChunkedArray) -> int:
    """How many values differ; 0 of lists, records and bytes, which are no groups."""
    kind = values.type.value_type if pa.types.is_dictionary(values.type) else values.type
    if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return 0
    return int(pc.count_distinct(pc.cast(values, kind)).as_py())


def _by_time(kind: Kind, name: str, values: pa.ChunkedArray) -> Partition | None:
    """Quarters of the rows by their time, each called by the dates from and to which it goes."""
    if not (pa.types.is_date(values.type) or pa.types.is_timestamp(values.type)):
        return None
    moments = pc.cast(values, pa.timestamp("us"))
    numbers = _floats(pc.cast(moments, pa.int64()))
    found = of_numbers(kind, name, numbers, labels=tuple("1234"))
    if found.groups[:4] != tuple("1234"):
        return None
    days = np.asarray(moments.to_numpy(zero_copy_only=False), dtype="datetime64[D]")
    parts = [days[found.codes == at] for at in range(4)]
    called = tuple(f"{part.min()} to {part.max()}" for part in parts)
    return Partition(kind, name, (*called, *found.groups[4:]), found.codes)


def _by_length(table: Table, name: str) -> Partition | None:
    """Quarters by the number of characters; None where the column holds no texts."""
    values = table.column(name)
    if not is_string(values.type):
        return None
    lengths = _floats(pc.utf8_length(pc.utf8_trim_whitespace(values)))
    return of_numbers("length", name, np.where(lengths == 0, np.nan, lengths))


def _texts(values: pa.ChunkedArray) -> list[str | None]:
    return [value for part in slices(values) for value in as_text(part).to_pylist()]


def _floats(values: pa.ChunkedArray) -> np.ndarray:
    filled: np.ndarray = pc.cast(values, pa.float64()).to_numpy().astype(np.float64)
    return np.where(np.isfinite(filled), filled, np.nan)
