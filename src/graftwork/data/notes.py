"""What is said of a table while it is read: lines that travel with it to the user."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

NOTES = b"graftwork.notes"
"""Metadata of a table: what was made of it or left out, a line each."""


def noted(table: pa.Table, lines: Sequence[str]) -> pa.Table:
    """The table with these lines behind those that it has."""
    if not lines:
        return table
    metadata = dict(table.schema.metadata or {})
    metadata[NOTES] = "\n".join([*notes_of(table), *lines]).encode()
    return table.replace_schema_metadata(metadata)


def notes_of(table: pa.Table) -> list[str]:
    """What reading said, a line each."""
    found = (table.schema.metadata or {}).get(NOTES)
    return found.decode().splitlines() if found else []
