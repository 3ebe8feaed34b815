"""Writers of tables that come piece by piece: csv, tsv, json lines, parquet, or a folder of parquet files."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from graftwork.data.store.writing import clean_beside, move, remove, replacing, temporary_name

PARTS = "parts"
"""The kind of a folder of parquet files, one a piece."""
_PART = re.compile(r"part-\d{5,}\.parquet")


@contextmanager
def replaced(out: Path, kind: str) -> Iterator[Path]:
    """What is written to, a new file or for `PARTS` a new folder, moved to `out` once the block ends well."""
    clean_beside(out)
    if kind != PARTS:
        with replacing(out) as temporary:
            yield temporary
        return
    temporary = temporary_name(out)
    temporary.mkdir(parents=True)
    try:
        yield temporary
        remove(out)
        move(temporary, out)
    except BaseException:
        remove(temporary)
        raise


def is_parts(folder: Path) -> bool:
    """Whether a folder holds nothing but what such a writer put there."""
    return folder.is_dir() and all(_PART.fullmatch(path.name) for path in folder.iterdir())


class _JsonLines:
    """json lines through the standard library; pyarrow reads them but does not write them."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        del schema
        self._file = open(path, "w", encoding="utf-8")  # noqa: SIM115

    def write_table(self, table: pa.Table) -> None:
        for row in table.to_pylist():
            self._file.write(_as_json(row) + "\n")

    def close(self) -> None:
        self._file.close()


class _Delimited:
    """csv or tsv through pyarrow; what has no form there (lists, structs) as json text."""

    def __init__(self, path: Path, schema: pa.Schema, delimiter: str) -> None:
        import pyarrow.csv

        self._nested = [field.name for field in schema if pa.types.is_nested(field.type)]
        plain = pa.schema([pa.field(f.name, pa.string()) if f.name in self._nested else f for f in schema])
        self._writer = pyarrow.csv.CSVWriter(path, plain, write_options=pyarrow.csv.WriteOptions(delimiter=delimiter))

    def write_table(self, table: pa.Table) -> None:
        for name in self._nested:
            texts = [None if value is None else _as_json(value) for value in table.column(name).to_pylist()]
            table = table.set_column(table.column_names.index(name), name, pa.array(texts, pa.string()))
        self._writer.write_table(table)

    def close(self) -> None:
        self._writer.close()


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _csv(path: Path, schema: pa.Schema) -> Any:
    return _Delimited(path, schema, ",")


def _tsv(path: Path, schema: pa.Schema) -> Any:
    return _Delimited(path, schema, "\t")


def _parquet(path: Path, schema: pa.Schema) -> Any:
    import pyarrow.parquet

    return pyarrow.parquet.ParquetWriter(path, schema)


class _PartFiles:
    """A parquet file for each piece, numbered in order; one without rows where there is no piece."""

    def __init__(self, folder: Path, schema: pa.Schema) -> None:
        self._folder, self._schema, self._written = folder, schema, 0

    def write_table(self, table: pa.Table) -> None:
        import pyarrow.parquet

        pyarrow.parquet.write_table(table, self._folder / f"part-{self._written:05}.parquet")
        self._written += 1

    def close(self) -> None:
        if not self._written:
            self.write_table(self._schema.empty_table())


WRITERS: dict[str, Callable[[Path, pa.Schema], Any]] = {
    "csv": _csv,
    "tsv": _tsv,
    "jsonl": _JsonLines,
    "parquet": _parquet,
    PARTS: _PartFiles,
}
