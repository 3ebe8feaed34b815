"""SHA-256 of several files, as anybody can compute it again, and of rows in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from graftwork.bases.source import file_digest
from graftwork.data.store.cache import column_digest, digest


def sha256_of_files(paths: Iterable[Path], folder: Path) -> str:
    """Of several files below `folder`: of the lines `HASH  PATH`, sorted by path, as `sha256sum` writes them."""
    named = sorted((path.relative_to(folder).as_posix(), path) for path in paths)
    lines = "".join(f"{file_digest(path)}  {name}\n" for name, path in named)
    return hashlib.sha256(lines.encode()).hexdigest()


def sha256_of_rows(table: pa.Table) -> str:
    """Of a table in memory: of its names, types and values, however it is cut into chunks."""
    hasher = hashlib.sha256()
    for field in table.schema:
        column = table.column(field.name)
        plain = pa.types.is_nested(field.type)
        key = digest(*(repr(value.as_py()) for value in column)) if plain else column_digest(column)
        hasher.update(f"{field.name}\n{field.type}\n{key}\n".encode())
    return hasher.hexdigest()
