"""Cheap warnings about the data: rows that stand in two tables, one text with two labels, rare classes.

Texts are compared by 64-bit hashes, apart from case and white space: 8 bytes a row, however long the texts are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from graftwork.data.spool import slices
from graftwork.data.table import Table

EXAMPLES = 5


@dataclass(frozen=True)
class Shared:
    """A text that stands in both tables, with its first row in each."""

    row: int
    other_row: int
    text: str


@dataclass(frozen=True)
class Overlap:
    """rows: rows of the first table whose inputs also stand in the second. share: of the first table's rows."""

    rows: int
    share: float
    examples: tuple[Shared, ...]


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


def overlap(table: Table, other: Table) -> Overlap:
    """Rows of `table` (the test rows, say) whose inputs are also inputs of `other` (the training rows)."""
    here, there = input_hashes(table), input_hashes(other)
    order = np.argsort(there, kind="stable")
    at = np.minimum(np.searchsorted(there[order], here), len(there) - 1)
    found = np.flatnonzero(there[order][at] == here) if len(there) else np.zeros(0, np.int64)
    examples = tuple(
        Shared(int(table.rows[row]), int(other.rows[order[at[row]]]), _text(table, row))
        for row in _first_of_each(here, found)
    )
    return Overlap(len(found), len(found) / max(1, len(table)), examples)


def duplicates(table: Table) -> Overlap:
    """Rows whose inputs stood in an earlier row of the same table, whatever their labels."""
    hashes = input_hashes(table)
    _, first, inverse = np.unique(hashes, return_index=True, return_inverse=True)
    found = np.flatnonzero(first[inverse] != np.arange(len(table)))
    examples = tuple(
        Shared(int(table.rows[row]), int(table.rows[first[inverse[row]]]), _text(table, row))
        for row in _first_of_each(hashes, found)
    )
    return Overlap(len(found), len(found) / max(1, len(table)), examples)


def conflicts(table: Table, target: str) -> Conflicts:
    """Texts that stand more than once in the table, with different labels. Rows without a label are left out."""
    labels = _codes(table.column(target))
    known = np.flatnonzero(labels >= 0)
    hashes, labels = input_hashes(table)[known], labels[known]
    order = np.lexsort((known, hashes))
    hashes, labels, rows = hashes[order], labels[order], known[order]
    if not len(hashes):
        return Conflicts(0, 0, ())
    starts = np.flatnonzero(np.concatenate([[True], hashes[1:] != hashes[:-1]]))
    ends = np.append(starts[1:], len(hashes))
    mixed = np.flatnonzero(np.minimum.reduceat(labels, starts) != np.maximum.reduceat(labels, starts))
    shown = sorted(mixed.tolist(), key=lambda text: rows[starts[text]])[:EXAMPLES]
    examples = tuple(_conflict(table, target, rows[starts[text] : ends[text]]) for text in shown)
    return Conflicts(len(mixed), int((ends - starts)[mixed].sum()), examples)


def rare_classes(table: Table, target: str, fewer_than: int = 5) -> tuple[RareClass, ...]:
    """Classes with fewer rows than that, rarest first."""
    column = table.column(target)
    codes = _codes(column)
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


def _codes(column: pa.ChunkedArray) -> np.ndarray:
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


def _first_of_each(hashes: np.ndarray, found: np.ndarray) -> list[int]:
    """The first rows in `found` with different hashes, a few of them."""
    _, first = np.unique(hashes[found], return_index=True)
    return [int(row) for row in found[np.sort(first)][:EXAMPLES]]


def _conflict(table: Table, target: str, rows: np.ndarray) -> Conflict:
    shown = rows[: 2 * EXAMPLES]
    values = table.column(target).take(pa.array(shown)).to_pylist()
    labels = [", ".join(map(str, value)) if isinstance(value, list) else str(value) for value in values]
    return Conflict(tuple(table.rows[shown].tolist()), tuple(labels), _text(table, int(rows[0])))


def _text(table: Table, row: int, length: int = 200) -> str:
    """The inputs of a row for a reader."""
    values = [str(table.column(column.name)[row].as_py() or "") for column in table.schema.inputs]
    text = " · ".join(values)
    return text if len(text) <= length else text[: length - 1] + "…"
