"""What `verify` and `identify` compare: single files or texts, and the rows of folders and tables; read before torch is
loaded, which takes seconds; and what was found of each, as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from graftwork.data.load import Loaded, load_like
from graftwork.data.table import Schema
from graftwork.deploy.predicted_columns import with_added
from graftwork.errors import DataError, UsageError

if TYPE_CHECKING:
    from graftwork.uses.verification import Identified, Verdict

TABLES = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet", ".xlsx", ".zip")
"""Endings of files that are read as tables, also with .gz behind them."""


@dataclass(frozen=True)
class Items:
    """Rows that were read. names: what a reader calls each. listed: they come from a table or a folder, where a row
    that can't be read is passed over and said."""

    loaded: Loaded
    names: tuple[str, ...]
    listed: bool

    def __len__(self) -> int:
        return len(self.names)

    @property
    def good(self) -> np.ndarray:
        """Places of the rows that can be read."""
        bad = {row.row for row in self.loaded.bad}
        return np.flatnonzero([row not in bad for row in self.loaded.table.rows.tolist()])

    @property
    def reasons(self) -> dict[int, str]:
        """By place, why a row can't be read."""
        by_row = {bad.row: f"{bad.column}: {bad.reason}" for bad in self.loaded.bad}
        return {at: by_row[row] for at, row in enumerate(self.loaded.table.rows.tolist()) if row in by_row}


def is_table(item: str, schema: Schema) -> bool:
    """Whether it is a file that is read as a table, or a folder, of which only images and sounds are read: a text may
    be called like a folder that happens to be there."""
    path, media = Path(item).expanduser(), any(column.kind in ("image", "audio") for column in schema.inputs)
    try:
        return (media and bool(item) and path.is_dir()) or (
            path.name.lower().removesuffix(".gz").endswith(TABLES) and path.is_file()
        )
    except (OSError, ValueError):  # a text, longer than any name may be
        return False


def read_items(items: Sequence[str], schema: Schema, before: int = 0, of: int | None = None) -> list[Items]:
    """What is named, in order: each table or folder by itself, single items that follow each other together.

    before, of: for messages, how many items stand before these, and how many there are in all.

    Raises DataError for a single item that can't be read, UsageError for one where the model reads several inputs.
    """
    found, single, of = list[Items](), list[str](), of or len(items)
    for at, item in enumerate(items):
        if is_table(item, schema):
            found += _singles(single, schema, before + at - len(single), of)
            single = []
            loaded = load_like(item, schema, with_target=False, on_bad_rows="keep")
            found.append(Items(loaded, _row_names(loaded, schema), listed=True))
        else:
            single.append(item)
    return found + _singles(single, schema, before + len(items) - len(single), of)


def _singles(items: Sequence[str], schema: Schema, before: int, of: int) -> list[Items]:
    if not items:
        return []
    inputs = [column.name for column in schema.inputs]
    if len(inputs) != 1:
        raise UsageError(
            f"The model reads {len(inputs)} columns of each item ({', '.join(inputs)}), and '{items[0]}' is one value. "
            "Name a table with these columns."
        )
    loaded = load_like({inputs[0]: list(items)}, schema, with_target=False, on_bad_rows="keep", name="the items")
    for bad in loaded.bad[:1]:
        raise DataError(f"Item {before + bad.row} of {of} can't be used as '{bad.column}': {bad.reason}.")
    return [Items(loaded, tuple(items), listed=False)]


def _row_names(loaded: Loaded, schema: Schema) -> tuple[str, ...]:
    """The value of the one input where it is a path or a text, else the row's number."""
    rows = [f"row {row}" for row in loaded.table.rows.tolist()]
    if len(schema.inputs) != 1:
        return tuple(rows)
    values = loaded.table.column(schema.inputs[0].name).to_pylist()
    return tuple(_name(value) or row for value, row in zip(values, rows, strict=True))


def _name(value: Any) -> str:
    if isinstance(value, Mapping):
        value = value.get("path")
    return value if isinstance(value, str) and 0 < len(value) <= 120 else ""


def with_found(items: Items, found: Sequence[Identified | Verdict | None]) -> pa.Table:
    """The rows with what was found of each, None where it could not be read; the reason stands in the last column."""
    answers = [asdict(one) if one is not None else {} for one in found]
    names = next((list(answer) for answer in answers if answer), [])
    added = {name: [answer.get(name) for answer in answers] for name in names}
    added["reason"] = [items.reasons.get(at) for at in range(len(items))]
    types = {"name": pa.string(), "nearest": pa.string(), "same": pa.bool_(), "reason": pa.string()}
    columns = {name: pa.array(column, types.get(name, pa.float64())) for name, column in added.items()}
    return with_added(items.loaded.table.data, columns)
