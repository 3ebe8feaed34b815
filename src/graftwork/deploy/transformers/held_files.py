"""Columns that hold files themselves (photos and sounds as bytes), which text formats have no form for."""

from __future__ import annotations

import pyarrow as pa


def without_files(table: pa.Table) -> pa.Table:
    """The table without the columns that `held_files` names."""
    return table.drop_columns(held_files(table.schema))


def held_files(schema: pa.Schema) -> list[str]:
    """The columns whose values are bytes, or lists or objects that have such.

    >>> held_files(pa.schema([("a", pa.string()), ("b", pa.binary()), ("c", pa.struct([("bytes", pa.binary())]))]))
    ['b', 'c']
    """
    return [field.name for field in schema if _holds_bytes(field.type)]


def _holds_bytes(kind: pa.DataType) -> bool:
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return True
    return any(_holds_bytes(kind.field(at).type) for at in range(kind.num_fields))
