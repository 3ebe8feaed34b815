"""Columns in the form their kind asks for: numbers as numbers, classes without stray spaces, texts as text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graftwork.data.columns.dates import WRITTEN, form_of, to_dates
from graftwork.data.columns.kinds import is_string
from graftwork.data.columns.numbers import NumberForm, to_floats
from graftwork.data.columns.values import is_blank, same_values
from graftwork.data.store.spool import slices
from graftwork.data.table import Column, Table
from graftwork.errors import DataError

_WHOLE_UP_TO = 2.0**53
"""From here on not every whole number is one of floating point."""


def to_kinds(table: Table) -> tuple[Table, list[str]]:
    """The table with every column of its schema in the form of its kind, and notes of what was changed.

    number: float64, missing and unreadable values null. category: as it is, but without spaces around texts, and with
    one form of each domain or group; blanks are null, and whole numbers that pandas made floating point (because some
    were missing) are whole again. date: timestamps, unreadable values null. text: text; numbers are written out.
    """
    changed, notes = dict[str, pa.ChunkedArray](), []
    for column in table.schema.columns:
        before = table.data.column(column.name)
        after, note = _converted(column, before)
        notes += [note] if note else []
        if after is not before:
            changed[column.name] = after
    return replace(table, data=with_columns(table.data, changed)), notes


def with_columns(data: pa.Table, changed: Mapping[str, pa.ChunkedArray]) -> pa.Table:
    """The table with other values in these columns. All at once: a table of thousands of columns is built once."""
    if not changed:
        return data
    fields = [pa.field(f.name, changed[f.name].type) if f.name in changed else f for f in data.schema]
    arrays = [changed.get(field.name, array) for field, array in zip(data.schema, data.columns, strict=True)]
    return pa.table(arrays, schema=pa.schema(fields, data.schema.metadata))


def to_numbers(column: pa.ChunkedArray, form: str = "") -> tuple[pa.ChunkedArray, np.ndarray]:
    """A column as float64, and the indices of values that are no number. Those, NaN and missing marks are null.

    form: how texts write numbers (`Column.form`).
    """
    reading = NumberForm.of(form)
    parts: list[pa.Array] = []
    bad = []
    start = 0
    for part in slices(column):
        numbers, wrong = _numbers(part, reading)
        parts.append(numbers)
        bad.append(np.flatnonzero(wrong) + start)
        start += len(part)
    return pa.chunked_array(parts, pa.float64()), np.concatenate(bad) if bad else np.zeros(0, np.int64)


def read_dates(column: pa.ChunkedArray, form: str = "") -> tuple[pa.ChunkedArray, np.ndarray]:
    """A column as dates with a time, and the indices of values that are no date. Those and missing marks are null."""
    parts, bad, start = list[pa.Array](), [np.zeros(0, np.int64)], 0
    for part in slices(column):
        dates, wrong = to_dates(part, form_of(form))
        parts.append(dates)
        bad.append(np.flatnonzero(wrong) + start)
        start += len(part)
    return pa.chunked_array(parts, WRITTEN), np.concatenate(bad)


def as_text(part: pa.Array) -> pa.Array:
    """Categories by their names: whole numbers written plainly, whatever type they came in."""
    return part.cast(pa.string())


def is_missing(part: pa.Array) -> np.ndarray:
    """Which values are null, NaN, or text without anything that can be seen (N,)."""
    if is_string(part.type):
        return np.asarray(pc.fill_null(is_blank(part), True))
    if pa.types.is_nested(part.type):
        return np.asarray(pc.is_null(part))
    return np.asarray(pc.is_null(part, nan_is_null=True))


def _numbers(part: pa.Array, form: NumberForm) -> tuple[pa.Array, np.ndarray]:
    if is_string(part.type):
        return to_floats(part, form)
    if pa.types.is_nested(part.type) or pa.types.is_temporal(part.type) or pa.types.is_binary(part.type):
        absent = np.asarray(pc.is_null(part))
        numbers = pa.nulls(len(part), pa.float64())
    else:
        numbers = part.cast(pa.float64(), safe=False)
        absent = np.asarray(pc.is_null(numbers, nan_is_null=True))
        numbers = pc.if_else(pc.is_finite(numbers), numbers, pa.scalar(None, pa.float64()))
    return numbers, np.asarray(pc.is_null(numbers)) & ~absent


def _converted(column: Column, values: pa.ChunkedArray) -> tuple[pa.ChunkedArray, str | None]:
    if column.kind == "number":
        return (
            values if values.type == pa.float64() and not values.null_count else to_numbers(values, column.form)[0]
        ), None
    if column.kind == "date":
        return (values if values.type == WRITTEN else read_dates(values, column.form)[0]), None
    if column.kind == "category":
        return _to_category(column, values)
    if column.kind == "text" and column.role == "target":
        return values, None
    if column.kind == "text" and pa.types.is_nested(values.type):
        raise DataError(f"{column.name} holds lists or objects in some rows. Expected one text a row: join them first.")
    if column.kind == "text" and not is_string(values.type):
        return pa.chunked_array([_to_text(part) for part in slices(values)], pa.string()), None
    return values, None


def _to_category(column: Column, values: pa.ChunkedArray) -> tuple[pa.ChunkedArray, str | None]:
    if is_string(values.type):
        trimmed = pa.chunked_array([pc.utf8_trim_whitespace(part) for part in slices(values)], values.type)
        blank = pa.scalar(None, values.type)
        cleaned = pa.chunked_array([pc.if_else(is_blank(part), blank, part) for part in trimmed.chunks], values.type)
        changed = pc.sum(pc.and_(pc.not_equal(cleaned, values), pc.is_valid(cleaned))).as_py() or 0
        note = f"{column.name}: spaces around values were removed in {changed:,} rows" if changed else None
        if column.role in ("domain", "group", "rollout"):
            cleaned = pa.chunked_array([same_values(part) for part in slices(cleaned)], pa.string())
        return cleaned, note
    if pa.types.is_floating(values.type):
        numbers = to_numbers(values)[0]
        plain = pc.and_(pc.equal(numbers, pc.round(numbers)), pc.less(pc.abs(numbers), _WHOLE_UP_TO))
        whole = pc.all(plain).as_py() is not False
        return (numbers.cast(pa.int64()) if whole else numbers), None
    if pa.types.is_temporal(values.type) or pa.types.is_decimal(values.type):
        return values.cast(pa.string()), None
    return values, None


def _to_text(part: pa.Array) -> pa.Array:
    if pa.types.is_binary(part.type) or pa.types.is_large_binary(part.type):
        texts = [None if value is None else value.decode("utf-8", errors="replace") for value in part.to_pylist()]
        return pa.array(texts, pa.string())
    return part.cast(pa.string())
