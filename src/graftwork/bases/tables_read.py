"""Which tables a job was read from: their names, rows, and in the end their hashes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from graftwork.bases.hashes import sha256_of_files, sha256_of_rows
from graftwork.bases.provenance import TableUsed, Use
from graftwork.bases.source import file_digest
from graftwork.data.read.excel import split_sheet
from graftwork.data.read.source import Source
from graftwork.data.read.union import is_several
from graftwork.data.table import Table


@dataclass(frozen=True)
class TableRead:
    """used: what is said of it, of a file without its hash. path: where it lies; None for one in memory."""

    used: TableUsed
    path: Path | None

    def hashed(self) -> TableUsed:
        """With the hash of the file, or of the files of the folder; without one where it can't be read any more."""
        try:
            if self.path is None:
                return self.used
            if self.path.is_dir():
                files = [path for path in self.path.rglob("*") if path.is_file()]
                return replace(self.used, hashed="files", sha256=sha256_of_files(files, self.path))
            return replace(self.used, sha256=file_digest(self.path))
        except OSError:
            return self.used


def tables_read(use: Use, source: Source | Sequence[Source], table: Table, rows: int | None = None) -> list[TableRead]:
    """Of a table, or of each that it was joined from. rows: that it had; None for all there are."""
    several = is_several(source)
    sources: list[Source] = list(source) if several else [source]  # type: ignore[arg-type]
    parts = table.parts if several and len(table.parts) == len(sources) else ((table.source, rows or len(table)),)
    return [_read(use, one, *part, table) for one, part in zip(sources, parts, strict=True)]


def _read(use: Use, source: Source, called: str, rows: int, table: Table) -> TableRead:
    if isinstance(source, str | os.PathLike):
        path, sheet = split_sheet(Path(source).expanduser())
        name = f"{path.absolute().name}#{sheet}" if sheet else path.absolute().name
        return TableRead(TableUsed(name=name, use=use, rows=rows), path)
    return TableRead(TableUsed(name=called, use=use, rows=rows, hashed="rows", sha256=sha256_of_rows(table.data)), None)
