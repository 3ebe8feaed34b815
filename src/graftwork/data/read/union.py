"""Several tables as one: they share inputs, and each brings targets of its own. A target that a table lacks is missing
in its rows."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from graftwork.data.columns.kinds import sample, shape_of
from graftwork.data.media.paths import is_address, is_data, located
from graftwork.data.read import source as reading
from graftwork.data.read.files import TABLES
from graftwork.data.read.source import Source
from graftwork.data.store.spool import slices
from graftwork.data.table import Schema, Table
from graftwork.errors import DataError, UsageError


@dataclass(frozen=True)
class Part:
    """One of the tables as it was read. folder: where its relative paths start."""

    data: pa.Table
    name: str
    folder: Path | None


def is_several(source: Any) -> bool:
    """Whether it is a list of tables: of paths, of names of table files or folders, or of frames.

    A list of dicts, of texts or of images is one table with as many rows.
    """
    return isinstance(source, list | tuple) and bool(source) and all(map(_is_table, source))


def read_parts(source: Source | Sequence[Source], name: str | None = None) -> list[Part]:
    """Each table by itself, in order. Raises UsageError for a file that is named twice."""
    sources: Sequence[Any] = source if is_several(source) else [source]  # type: ignore[assignment]
    paths = [os.path.realpath(one) for one in sources if isinstance(one, str | os.PathLike)] if len(sources) > 1 else []
    for path in paths:
        if paths.count(path) > 1:
            raise UsageError(f"{path} is given {paths.count(path)} times as a table. Name it once.")
    parts = []
    for index, one in enumerate(sources, 1):
        own = name if len(sources) == 1 or isinstance(one, str | os.PathLike) else f"table {index}"
        data, called = reading.read(one, name=own)
        parts.append(Part(data, called, reading.folder_of(one)))
    return parts


def union(parts: Sequence[Part]) -> Part:
    """All rows, with the columns of all tables; what a table lacks is missing. One table is itself."""
    if len(parts) == 1:
        return parts[0]
    if not set.intersection(*(set(part.data.column_names) for part in parts)):
        each = "; ".join(f"{part.name}: {', '.join(part.data.column_names[:20])}" for part in parts)
        raise DataError(f"These tables share no column ({each}). Expected the same inputs in all of them.")
    columns = dict.fromkeys(name for part in parts for name in part.data.column_names)
    arrays = [_joined([_column(part, name) for part in parts]) for name in columns]
    known = {field.name: field for part in reversed(parts) for field in part.data.schema}
    fields = [known[name] for name in columns]
    schema = pa.schema([field.with_type(array.type) for field, array in zip(fields, arrays, strict=True)])
    return Part(pa.table(arrays, schema=schema), " + ".join(part.name for part in parts), None)


def unshared(parts: Sequence[Part]) -> list[str]:
    """Columns that stand in some of the tables only."""
    every = dict.fromkeys(name for part in parts for name in part.data.column_names)
    return [name for name in every if any(name not in part.data.column_names for part in parts)]


def row_ids(parts: Sequence[Part]) -> list[str]:
    """Columns of row ids, which in several tables may repeat; none for a single table, where they are told anyway."""
    if len(parts) == 1:
        return []
    sampled = [sample(part.data) for part in parts]
    return [
        name
        for name in dict.fromkeys(name for data in sampled for name in data.column_names)
        if all(
            shape_of(name, data.column(name), data.schema.field(name)) == "id"
            for data in sampled
            if name in data.column_names
        )
    ]


def check_shared(parts: Sequence[Part], schema: Schema) -> None:
    """Raise DataError where a table lacks an input or a role, or has none of the targets."""
    for part in parts:
        for column in schema.columns:
            if column.role != "target" and column.name not in part.data.column_names:
                others = ", ".join(other.name for other in parts if column.name in other.data.column_names)
                what = "input" if column.role is None else f"{column.role} column"
                raise DataError(
                    f"{part.name} has no column '{column.name}', which is an {what} in {others}. Several tables share "
                    f"their inputs: add the column, or leave it out with --ignore {column.name}."
                )
        targets = [column.name for column in schema.targets]
        if targets and not set(targets) & set(part.data.column_names):
            raise DataError(
                f"{part.name} has none of the targets {', '.join(targets)} (columns: "
                f"{', '.join(part.data.column_names[:20])}). Name its own with --target too, or leave the table out."
            )


def each(parts: Sequence[Part], schema: Schema, ready: Callable[[Table], Table]) -> Table:
    """`ready` done to each table by itself, so that rows have the numbers of their own table there; then all as one.

    In the result they are counted through, in the tables' order.
    """
    tables = []
    for part in parts:
        own = Schema(tuple(column for column in schema.columns if column.name in part.data.column_names))
        table = Table(part.data, own, part.name, np.arange(1, len(part.data) + 1), part.folder)
        tables.append(ready(table))
    if len(parts) == 1:
        return tables[0]
    whole = [Part(anchored(table), table.source, None) for table in tables]
    sizes = [len(part.data) for part in parts]
    starts = np.cumsum([0, *sizes[:-1]])
    numbers = np.concatenate([table.rows + start for table, start in zip(tables, starts, strict=True)])
    joined = union(whole)
    return Table(joined.data, schema, joined.name, numbers, None, _sizes(parts))


def _sizes(parts: Sequence[Part]) -> tuple[tuple[str, int], ...]:
    return tuple((part.name, len(part.data)) for part in parts)


def note(parts: Sequence[Part], schema: Schema) -> list[str]:
    """What each of several tables brings, and how its rows are counted."""
    if len(parts) == 1:
        return []
    lines, start = [], 0
    for part in parts:
        targets = ", ".join(column.name for column in schema.targets if column.name in part.data.column_names)
        lines.append(f"table: {part.name}: {len(part.data):,} rows with {targets}, counted from row {start + 1:,} on")
        start += len(part.data)
    return lines


def with_targets(data: pa.Table, schema: Schema) -> pa.Table:
    """A table to validate or test; a target that it lacks is missing in all rows, as long as it has one of them."""
    lacking = [column for column in schema.targets if column.name not in data.column_names]
    if len(lacking) == len(schema.targets):
        return data
    for column in lacking:
        kind = pa.float64() if column.kind == "number" else pa.string()
        data = data.append_column(column.name, pa.nulls(len(data), kind))
    return data


def _is_table(one: Any) -> bool:
    if isinstance(one, str):
        return one.lower().endswith(TABLES) or Path(one).is_dir()
    kind = type(one)
    known = (("pandas", "DataFrame"), ("datasets", "Dataset"))
    return isinstance(one, os.PathLike | pa.Table) or (kind.__module__.split(".")[0], kind.__name__) in known


def _column(part: Part, name: str) -> pa.ChunkedArray:
    if name in part.data.column_names:
        return part.data.column(name)
    return pa.chunked_array([pa.nulls(len(part.data))])


def _joined(columns: Sequence[pa.ChunkedArray]) -> pa.ChunkedArray:
    """All columns as one, in the type they share, else as text."""
    types = list(dict.fromkeys(column.type for column in columns if not pa.types.is_null(column.type)))
    numbers = all(pa.types.is_integer(kind) or pa.types.is_floating(kind) for kind in types)
    wanted = types[0] if len(types) == 1 else pa.float64() if types and numbers else pa.string()
    return pa.chunked_array([chunk for column in columns for chunk in column.cast(wanted).chunks], wanted)


def anchored(table: Table) -> pa.Table:
    """The columns, relative paths of images and sounds made whole."""
    data = table.data
    for column in table.schema.inputs:
        values = data.column(column.name)
        if column.kind in ("image", "audio") and table.folder is not None and pa.types.is_string(values.type):
            whole = [_whole(part.to_pylist(), table.folder) for part in slices(values)]
            data = data.set_column(data.column_names.index(column.name), column.name, pa.chunked_array(whole))
    return data


def _whole(paths: Sequence[str | None], folder: Path) -> pa.Array:
    kept = [path if not path or is_address(path) or is_data(path) else str(located(path, folder)) for path in paths]
    return pa.array([path or None for path in kept], pa.string())
