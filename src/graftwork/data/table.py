"""A Table: rows with typed columns, some of which have a role. Backed by Arrow, memory-mapped where it came from disk.

Nothing here imports torch: reading and checking data stays quick.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from graftwork.data.store import spool
from graftwork.errors import DataError, UsageError, nearest

Kind = Literal["text", "image", "audio", "number", "category", "date"]
Modality = Literal["text", "image", "audio", "table"]
"""What a base reads: one column of text, images or sounds; or a row of numbers, categories and dates."""
Role = Literal["target", "domain", "group", "weight", "split", "time", "reward", "propensity", "rollout", "step"]
_IN_ROWS = ("number", "category", "date")
"""Kinds that are read together, as one row."""
CLASSES = {b"graftwork": b"classes"}
"""Metadata of a column of names, whatever they look like: class folders, and frames whose dtype says so."""


def repeated_names(names: Sequence[str]) -> list[str]:
    """The names that stand there more than once, in order.

    >>> repeated_names(["b", "a", "b"])
    ['b']
    """
    return sorted(name for name, count in Counter(names).items() if count > 1)


def refuse_repeated(names: Sequence[str], source: str) -> None:
    """Raise DataError where two columns have one name."""
    doubled = repeated_names(names)
    if doubled:
        raise DataError(f"{source} has more than one column named {', '.join(map(repr, doubled))}. Rename one of them.")


@dataclass(frozen=True)
class Column:
    """A column's name, what kind of values it holds, and its role; a column without a role is an input.

    levels: the values of a domain column in the training table, sorted; they number the domains.
    scale: of a column of images, the values that are black and white in those of more than 8 bits a colour, as found
        in the training table.
    form: how the training table writes its numbers or dates; empty for plain ones (see `data.numbers`, `data.dates`).
    join: the text columns that are read with this one in one sequence, in their order and itself among them.
    """

    name: str
    kind: Kind
    role: Role | None = None
    levels: tuple[str, ...] = ()
    scale: tuple[float, float] | None = None
    form: str = ""
    join: tuple[str, ...] = ()


def joined_name(columns: Sequence[str]) -> str:
    """What an input is called that reads these columns in one sequence."""
    return "+".join(columns)


@dataclass(frozen=True)
class Input:
    """What one encoder reads of a row: a column of its own, several text columns in one sequence, or all numbers and
    categories together.

    name: the column's; "premise+hypothesis" for texts in one sequence, "table" for numbers and categories.
    """

    name: str
    modality: Modality
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Schema:
    """What each used column of a table is. Columns that are not listed are kept in the table but not used."""

    columns: tuple[Column, ...]

    @property
    def inputs(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if column.role is None)

    @property
    def modalities(self) -> tuple[Input, ...]:
        """The inputs as encoders read them: one a text, image or audio column, or the texts that are joined; then
        numbers and categories as one."""
        media: dict[str, Modality] = {"text": "text", "image": "image", "audio": "audio"}
        read = {c.join or (c.name,): media[c.kind] for c in self.inputs if c.kind in media}
        found = [Input(joined_name(columns), modality, columns) for columns, modality in read.items()]
        row = tuple(column.name for column in self.inputs if column.kind in _IN_ROWS)
        taken = {column.name for column in self.columns}
        name = next(name for name in ("table", "table_", "table__") if name not in taken)
        return (*found, Input(name, "table", row)) if row else tuple(found)

    @property
    def targets(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if column.role == "target")

    def role(self, role: Role) -> Column | None:
        """The one column with this role, or None."""
        return next((column for column in self.columns if column.role == role), None)

    def without(self, role: Role) -> Schema:
        """The same schema less the columns with this role (a table to predict has no target)."""
        return Schema(tuple(column for column in self.columns if column.role != role))


@dataclass(frozen=True)
class Table:
    """Rows with a schema.

    `rows` holds the number that each row has in its source, counted from 1 for the first data row, so that
    messages about a row stay true after rows were skipped or split off. `source` names it in messages.
    `folder` is where relative paths of images and sounds start: the folder of the table's file.
    `parts` are the names and sizes of the tables that it was joined from, if there are several; `rows` go on from one
    to the next.
    """

    data: pa.Table
    schema: Schema
    source: str
    rows: np.ndarray
    folder: Path | None = None
    parts: tuple[tuple[str, int], ...] = ()

    def __post_init__(self) -> None:
        there = set(self.data.column_names)
        for column in self.schema.columns:
            if column.name not in there:
                raise UsageError(
                    f"{self.source} has no column '{column.name}'. {nearest(column.name, self.data.column_names)}"
                )

    def __len__(self) -> int:
        return int(self.data.num_rows)

    def place(self, row: int) -> str:
        """A row number for a reader; of several tables, the row's number in its own one.

        >>> table = Table(pa.table({}), Schema(()), "a.csv + b.csv", np.arange(0), parts=(("a.csv", 3), ("b.csv", 2)))
        >>> table.place(3), table.place(4)
        ('row 3 of a.csv', 'row 1 of b.csv')
        """
        before = 0
        for name, size in self.parts:
            if row - before <= size:
                return f"row {row - before} of {name}"
            before += size
        return f"row {row}"

    def column(self, name: str) -> pa.ChunkedArray:
        return self.data.column(name)

    def scale(self, name: str) -> tuple[float, float] | None:
        """The scale of a column of images with more than 8 bits a colour (see `Column`)."""
        return next((column.scale for column in self.schema.columns if column.name == name), None)

    def take(self, indices: Sequence[int] | np.ndarray) -> Table:
        """These rows, in this order; a large result is on disk, not in memory."""
        picked = np.asarray(indices, dtype=np.int64)
        return replace(self, data=spool.take(self.data, picked), rows=self.rows[picked])

    def values(self, name: str) -> list[Any]:
        """A column as Python values; for small tables and messages, not for the way of many rows."""
        return list(self.column(name).to_pylist())
