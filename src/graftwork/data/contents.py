"""A digest of what the rows of a table hold, and how they are read."""

from __future__ import annotations

import pyarrow as pa

from graftwork.data.media.media import content_digest
from graftwork.data.store.cache import column_digest, digest
from graftwork.data.table import Table


def contents(table: Table) -> str:
    """Changes with the schema, and with every value of a column that has a place in it."""
    return digest(repr(table.schema), *(_digest(table, column.name) for column in table.schema.columns))


def _digest(table: Table, name: str) -> str:
    column = table.column(name)
    kind = next(one.kind for one in table.schema.columns if one.name == name)
    if kind in ("image", "audio"):
        return content_digest(column, table.folder)
    return digest(repr(column.to_pylist())) if pa.types.is_nested(column.type) else column_digest(column)
