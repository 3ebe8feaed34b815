"""Cheap warnings about the data: rows that stand in two tables, one text with two labels, rare classes.

Texts are compared by 64-bit hashes, apart from case and white space: 8 bytes a row, however long the texts are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from graftwork.data.store.spool import slices
from graftwork.data.table import Table
from graftwork.shown import shortened_text

EXAMPLES = 5


@dataclass(frozen=True)
class Overlap:
    """Rows of a second table whose inputs also stand in a first one.

    pairs: (M, 2), row in the first table (the first with these inputs) and row in the second, as numbered in their
    sources. rows: all rows of the second table.
    """

    pairs: np.ndarray
    rows: int

    @property
    def share(self) -> float:
        """Of the second table's rows."""
        return len(self.pairs) / max(1, self.rows)


@dataclass(frozen=True)
class Conflict:
    """One text under several labels: its rows, and their labels in the same order."""

    rows: tuple[int, ...]
    labels: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Conflicts:
    """texts: distinct texts that have several labels. rows: rows they stand in."""

    texts: int
    rows: int
    examples: tuple[Conflict, ...]


@dataclass(frozen=True)
class RareClass:
    """A class with few rows, and the first of these rows."""

    label: str
    count: int
    rows: tuple[int, ...]


def overlap(first: Table, second: Table) -> Overlap:
    """Rows of `second` (the test rows, say) whose inputs are also inputs of `first` (the training rows)."""
    known, asked = input_hashes(first), input_hashes(second)
    order = np.argsort(known, kind="stable")
    at = np.minimum(np.searchsorted(known[order], asked), max(0, len(known) - 1))
    found = np.flatnonzero(known[order][at] == asked) if len(known) else np.zeros(0, np.int64)
    return Overlap(np.stack([first.rows[order[at[found]]], second.rows[found]], axis=1), len(second))


def conflicts(table: Table, target: str, most: int = 1000) -> Conflicts:
    """Texts that stand more than once in the table, with different labels; up to `most` of them are listed.

    Rows without a label are left out.
    """
    labels = value_codes(table.column(target))
    known = np.flatnonzero(labels >= 0)
    hashes, labels = input_hashes(table)[known], labels[known]
    order = np.lexsort((known, hashes))
    hashes, labels, rows = hashes[order], labels[order], known[order]
    if not len(hashes):
        return Conflicts(0, 0, ())
    starts = np.flatnonzero(np.concatenate([[True], hashes[1:] != hashes[:-1]]))
    ends = np.append(starts[1:], len(hashes))
    mixed = np.flatnonzero(np.minimum.reduceat(labels, starts) != np.maximum.reduceat(labels, starts))
    shown = sorted(mixed.tolist(), key=lambda text: rows[starts[text]])[:most]
    examples = tuple(_conflict(table, target, rows[starts[text] : ends[text]]) for text in shown)
    return Conflicts(len(mixed), int((ends - starts)[mixed].sum()), examples)


def rare_classes(table: Table, target: str, fewer_than: int = 5) -> tuple[RareClass, ...]:
    """Classes with fewer rows than that, rarest first."""
    column = table.column(target)
    codes = value_codes(column)
    counts = np.bincount(codes[codes >= 0])
    rare = [code for code in np.argsort(counts, kind="stable") if 0 < counts[code] < fewer_than]
    found = []
    for code in rare:
        rows = np.flatnonzero(codes == code)
        label = str(column[int(rows[0])].as_py())
        found.append(RareClass(label, len(rows), tuple(table.rows[rows[:EXAMPLES]].tolist())))
    return tuple(found)


def input_hashes(table: Table) -> np.ndarray:
    """A 64-bit hash of each row's inputs (N,), apart from case and white space; comparable in this process only."""
    result = np.zeros(len(table), np.int64)
    names = [column.name for column in table.schema.inputs]
    start = 0
    for batch in table.data.select(names).to_batches(max_chunksize=16_384):
        keys = zip(*(map(_key, column.to_pylist()) for column in batch.columns), strict=True)
        result[start : start + len(batch)] = np.fromiter(map(hash, keys), np.int64, len(batch))
        start += len(batch)
    return result


def _key(value: object) -> str:
    return "" if value is None else " ".join(str(value).casefold().split())


def value_codes(column: pa.ChunkedArray) -> np.ndarray:
    """A number for each distinct value, -1 for missing. Lists of labels count as one value each."""
    seen: dict[object, int] = {}
    return np.fromiter(
        (_code(value, seen) for part in slices(column) for value in part.to_pylist()), np.int64, len(column)
    )


def _code(value: object, seen: dict[object, int]) -> int:
    key = tuple(sorted(map(str, value))) if isinstance(value, list) else value
    if key is None or key == "" or key != key:
        return -1
    return seen.setdefault(key, len(seen))


def _conflict(table: Table, target: str, rows: np.ndarray) -> Conflict:
    shown = rows[: 2 * EXAMPLES]
    values = table.column(target).take(pa.array(shown)).to_pylist()
    labels = [", ".join(map(str, value)) if isinstance(value, list) else str(value) for value in values]
    return Conflict(tuple(table.rows[shown].tolist()), tuple(labels), _text(table, int(rows[0])))


def _text(table: Table, row: int, length: int = 200) -> str:
    """The inputs of a row for a reader."""
    values = [str(table.column(column.name)[row].as_py() or "") for column in table.schema.inputs]
    text = " · ".join(values)
    return shortened_text(text, length)
