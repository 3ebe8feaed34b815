"""The rows of a table that a model reads, as a file that each process maps: none of them holds all of it in memory."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import pyarrow as pa

from graftwork.data.store.cache import storing
from graftwork.data.store.spool import SLICE_ROWS
from graftwork.data.store.writing import replacing
from graftwork.data.table import Table
from graftwork.networks.manifest import schema_of


class Rows(TypedDict):
    """Where a table lies: path of the file; name and folder of its source; its columns, as model.json has them."""

    path: str
    source: str
    folder: str | None
    columns: list[dict[str, Any]]


def write_rows(path: Path, table: Table) -> Rows:
    """Write the columns that are used."""
    data = table.data.select([column.name for column in table.schema.columns])
    with (
        storing(path.parent),
        replacing(path) as temporary,
        pa.OSFile(str(temporary), "wb") as file,
        pa.ipc.new_file(file, data.schema) as writer,
    ):
        writer.write_table(data, max_chunksize=SLICE_ROWS)
    folder = None if table.folder is None else os.path.abspath(table.folder)
    columns = [asdict(column) for column in table.schema.columns]
    return Rows(path=os.path.abspath(path), source=table.source, folder=folder, columns=columns)


def map_rows(rows: Rows) -> Table:
    """The table, whose rows are numbered from 1."""
    with pa.memory_map(rows["path"]) as file:
        return table_of(rows, pa.ipc.open_file(file).read_all())


def table_of(rows: Rows, data: pa.Table, start: int = 0) -> Table:
    """Some of its rows as a table. start: how many stand before them."""
    folder = None if rows["folder"] is None else Path(rows["folder"])
    numbers = np.arange(start + 1, start + len(data) + 1)
    return Table(data, schema_of({"schema": rows["columns"]}), rows["source"], numbers, folder)


def names_files(table: Table) -> bool:
    """Whether rows name images or sounds by their paths, which whoever computes has to see."""
    media = [column.name for column in table.schema.columns if column.kind in ("image", "audio")]
    types = [table.data.schema.field(name).type for name in media]
    return any(not (pa.types.is_binary(one) or pa.types.is_large_binary(one)) for one in types)
