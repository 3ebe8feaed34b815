"""Columns of any Arrow type as types that all else can read: text, numbers, dates, true/false, lists, files."""

from __future__ import annotations

import json
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc

from graftwork.data.table import CLASSES
from graftwork.errors import DataError


def plain_types(table: pa.Table, name: str = "the table") -> pa.Table:
    """The table with columns of types that all else can read.

    Dictionary-coded columns (a category of pandas, or of parquet) are decoded and marked as classes. Columns without
    any value are text. Times of day and UUIDs are text, durations seconds; what an extension type stores stands for it.
    Raises DataError for types that hold neither text, numbers, dates nor files.
    """
    columns, fields, called = [], [], _categories_of_pandas(table.schema)
    for field, column in zip(table.schema, table.columns, strict=True):
        plain, marks = _plain(column, field, name)
        columns.append(plain)
        marks = marks or (CLASSES if field.name in called else {})
        fields.append(field.with_type(plain.type).with_metadata({**(field.metadata or {}), **marks}))
    return pa.table(columns, schema=pa.schema(fields, table.schema.metadata))


def _plain(column: pa.ChunkedArray, field: pa.Field, name: str) -> tuple[pa.ChunkedArray, dict[bytes, bytes]]:
    kind, marks = column.type, dict[bytes, bytes]()
    try:
        if pa.types.is_dictionary(kind):
            column, kind, marks = column.cast(kind.value_type), kind.value_type, CLASSES
        if isinstance(kind, pa.BaseExtensionType):
            uuids = getattr(kind, "extension_name", "") == "arrow.uuid"
            stored = [chunk.storage for chunk in column.chunks]
            column = pa.chunked_array(stored, kind.storage_type)
            column, kind = (_uuids(column) if uuids else column), pa.string() if uuids else kind.storage_type
        if pa.types.is_run_end_encoded(kind):
            column, kind = pc.run_end_decode(column), kind.value_type
        if pa.types.is_null(kind) or pa.types.is_string_view(kind) or pa.types.is_time(kind):
            return column.cast(pa.string()), marks
        if pa.types.is_duration(kind):
            seconds = pc.cast(pc.cast(column, pa.duration("ns"), safe=False), pa.int64()).cast(pa.float64(), safe=False)
            return pc.divide(seconds, 1e9), marks
        if pa.types.is_decimal(kind) or pa.types.is_float16(kind):
            return column.cast(pa.float64(), safe=False), marks
        if pa.types.is_binary_view(kind) or pa.types.is_fixed_size_binary(kind):
            return column.cast(pa.binary()), marks
    except (pa.ArrowException, OverflowError) as error:
        raise _unreadable(name, field) from error
    if pa.types.is_interval(kind) or pa.types.is_union(kind):
        raise _unreadable(name, field)
    return column, marks


def _uuids(column: pa.ChunkedArray) -> pa.ChunkedArray:
    values = [None if value is None else str(UUID(bytes=value)) for value in column.to_pylist()]
    return pa.chunked_array([pa.array(values, pa.string())])


def _unreadable(name: str, field: pa.Field) -> DataError:
    return DataError(
        f"{name}, column '{field.name}' is of the type {field.type}, which can't be read. Expected text, numbers, "
        "true/false, dates, lists of labels or files: convert the column, or leave it out of the table."
    )


def _categories_of_pandas(schema: pa.Schema) -> set[str]:
    """Columns that pandas wrote as a category: parquet keeps their values alone."""
    try:
        about = json.loads((schema.metadata or {}).get(b"pandas", b"{}")).get("columns", [])
        return {one["field_name"] for one in about if one["pandas_type"] == "categorical"}
    except (ValueError, KeyError, TypeError, AttributeError):
        return set()
