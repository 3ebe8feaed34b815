"""Rows that can't be used, by number and with the reason; and what is done about them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graftwork.data.columns.convert import is_missing, read_dates, to_numbers
from graftwork.data.columns.dates import WORDS
from graftwork.data.columns.kinds import is_string
from graftwork.data.columns.numbers import NumberForm
from graftwork.data.quality.role_numbers import wrong_numbers
from graftwork.data.read.unread import remedies_once
from graftwork.data.splits import SPLITS
from graftwork.data.store.spool import slices
from graftwork.data.table import Column, Kind, Table
from graftwork.errors import DataError, UsageError
from graftwork.shown import shortened_text

MAX_TEXT_CHARS = 1_000_000
"""A longer text is taken for a mistake: a file pasted into a cell, or a quote that was never closed."""
LISTED = 10
NO_LABEL = "no label"
SKIP = '--on-bad-rows skip (in Python on_bad_rows="skip")'

OnBadRows = Literal["fail", "skip"]


def known_choice(on_bad_rows: str) -> OnBadRows:
    """The choice itself. Raises UsageError for anything but "fail" and "skip"."""
    if on_bad_rows not in get_args(OnBadRows):
        raise UsageError(f"--on-bad-rows (in Python on_bad_rows) is '{on_bad_rows}'. Expected fail or skip.")
    return cast("OnBadRows", on_bad_rows)


@dataclass(frozen=True, order=True)
class BadRow:
    """row: its number in the source, from 1 for the first data row. column: what is bad. reason: why, for a reader."""

    row: int
    column: str
    reason: str

    def __str__(self) -> str:
        return f"row {self.row}, {self.column}: {self.reason}"


def check(table: Table, *, need_target: bool) -> list[BadRow]:
    """Every row that can't be used, in order.

    Bad are: rows in which all inputs are empty; a text of more than 1,000,000 characters; an image or a sound that
    can't be read; a number or a date that can't be read; a missing domain, group, split, time, reward, rollout or step;
    a weight that is missing or negative; a propensity that is missing, 0, or above 1; and, with `need_target`, a
    missing target (an empty list of labels is not missing). Of several targets, only rows without any are bad.
    """
    found = _check_empty(table)
    several = len(table.schema.targets) > 1
    for column in table.schema.columns:
        if column.role is None:
            found += _CHECKS[column.kind](table, column)
        elif column.role != "target" or need_target:
            found += _check_role(table, column, may_lack=several and column.role == "target")
    if several and need_target:
        found += _check_targets(table)
    return sorted(found)


def apply(table: Table, bad: Sequence[BadRow], on_bad_rows: OnBadRows) -> tuple[Table, list[str]]:
    """The table without its bad rows, and notes that say so. With "fail", bad rows are a DataError that lists them."""
    if not bad:
        return table, []
    rows = {item.row for item in bad}
    reasons, remedies = remedies_once([str(item) for item in bad])
    listing = "\n".join([_listing(reasons), *remedies])
    if on_bad_rows == "fail":
        count = "1 row" if len(rows) == 1 else f"{len(rows):,} rows"
        raise DataError(
            f"{table.source}: {count} of {len(table):,} can't be used:\n{listing}\n"
            f"Mend {'it' if len(rows) == 1 else 'them'}, or leave {'it' if len(rows) == 1 else 'them'} out with {SKIP}."
            + _other_kind(table, bad)
        )
    kept = table.take(np.flatnonzero(~np.isin(table.rows, list(rows))))
    if not len(kept):
        raise DataError(
            f"{table.source}: none of the {len(table):,} rows can be used:\n{listing}{_other_kind(table, bad)}"
        )
    return kept, [f"left out {len(rows):,} of the {len(table):,} rows of {table.source}:\n{listing}"]


def _other_kind(table: Table, bad: Sequence[BadRow]) -> str:
    """A way out where a column that looks like numbers holds mostly others, or one that looks like files holds none."""
    columns, inputs = {column.name: column for column in table.schema.columns}, len(table.schema.inputs)
    for name, count in Counter(item.column for item in bad).items():
        column, every = columns.get(name), count == len(table)
        if column is None or not (every or 2 * count > max(len(table), 10)):
            continue
        if column.kind == "number" and column.role == "target":
            return '\nIf these are names of classes, say --task classification (in Python task="classification").'
        if column.kind == "number" and column.role is None:
            return f"\nOr read the column as it is: --kind {name}=category (in Python kinds={{'{name}': 'category'}})."
        if column.role is None and column.kind in ("image", "audio") and every and inputs > 1:
            return f"\nOr leave the column out: --ignore {name} (in Python ignore=['{name}'])."
    return ""


def check_classes(table: Table, column: str, on_bad_rows: OnBadRows) -> tuple[Table, list[str]]:
    """A table whose classes can be learned: two or more, each with two rows or more, and notes of what was left out.

    A row whose class has no other is left out; of several targets, only its label is.
    Raises DataError for one class only; also, unless rows may be skipped, for classes with a single row.
    """
    values = table.column(column)
    if pa.types.is_nested(values.type):
        return table, []
    counted = pc.value_counts(values.drop_null())
    counts = np.asarray(counted.field("counts"))
    names = counted.field("values")
    if len(counts) == 1:
        raise DataError(
            f"{table.source}: {column} has one class, '{names[0]}', in all {int(counts[0]):,} rows. Expected two or "
            "more. Is this the right column, and is the file complete?"
        )
    single = names.filter(pa.array(counts == 1))
    if not len(single):
        return table, []
    alone = np.flatnonzero(np.asarray(pc.is_in(values, value_set=single)))
    listing = _listing([f"'{values[int(at)]}' ({table.place(int(table.rows[at]))})" for at in alone])
    many = f"{len(single):,} classes have" if len(single) > 1 else "1 class has"
    if on_bad_rows == "fail":
        raise DataError(
            f"{table.source}: {many} a single row in {column}, too few to train and to validate on:\n{listing}\n"
            f"Add rows, merge classes, or leave these rows out with {SKIP}.{_are_amounts(names)}"
        )
    if len(counts) - len(single) < 2:
        left = "no class" if len(counts) == len(single) else "only one class"
        raise DataError(
            f"{table.source}: {left} of {len(counts):,} in {column} has two rows or more. Is it a class column?"
        )
    if len(table.schema.targets) > 1:
        return _without_labels(table, column, alone), [f"labels left out of {column}, each the only one:\n{listing}"]
    kept = table.take(np.setdiff1d(np.arange(len(table)), alone))
    return kept, [f"left out of {table.source}, each the only row of its class:\n{listing}"]


def _are_amounts(names: pa.Array) -> str:
    """A way out where the classes are whole numbers, and perhaps amounts."""
    whole = pc.all(pc.match_substring_regex(names.cast(pa.string()), r"^\s*-?\d+\s*$")).as_py()
    return ' If they are amounts, say --task regression (in Python task="regression").' if whole else ""


def _without_labels(table: Table, column: str, rows: np.ndarray) -> Table:
    values, gone = table.column(column), np.zeros(len(table), bool)
    gone[rows] = True
    blank = pc.if_else(pa.array(gone), pa.scalar(None, values.type), values)
    return replace(table, data=table.data.set_column(table.data.column_names.index(column), column, blank))


def _check_empty(table: Table) -> list[BadRow]:
    """Rows in which all inputs are missing."""
    if not table.schema.inputs:
        return []
    empty = np.ones(len(table), dtype=bool)
    for column in table.schema.inputs:
        start = 0
        for part in slices(table.column(column.name)):
            empty[start : start + len(part)] &= is_missing(part)
            start += len(part)
    names = ", ".join(column.name for column in table.schema.inputs)
    return [BadRow(int(row), names, "empty") for row in table.rows[empty]]


def _check_text(table: Table, column: Column) -> list[BadRow]:
    found, start = [], 0
    for part in slices(table.column(column.name)):
        found += [_too_long(table, column.name, start + at, length) for at, length in _long(part)]
        start += len(part)
    return found


def _check_number(table: Table, column: Column) -> list[BadRow]:
    values = table.column(column.name)
    wrong = to_numbers(values, column.form)[1]
    return [BadRow(int(table.rows[at]), column.name, _no_number(values[int(at)].as_py(), column)) for at in wrong]


def _check_date(table: Table, column: Column) -> list[BadRow]:
    values = table.column(column.name)
    wrong = read_dates(values, column.form)[1]
    return [BadRow(int(table.rows[at]), column.name, _no_date(values[int(at)].as_py(), column)) for at in wrong]


def _no_date(value: object, column: Column) -> str:
    said = f"is not a date ({WORDS[column.form]})" if column.form else "is not a date (write it like 2024-01-31)"
    return f"{_shown(value)} {said}"


def _check_media(table: Table, column: Column) -> list[BadRow]:
    """Images and sounds whose file is not there, or not what it should be; each is read once."""
    from graftwork.data.media.media import examined

    found = examined(table.column(column.name), table.folder, column.kind).bad
    return [BadRow(int(table.rows[at]), column.name, reason) for at, reason in found]


_CHECKS: dict[Kind, Callable[[Table, Column], list[BadRow]]] = {
    "text": _check_text,
    "number": _check_number,
    "date": _check_date,
    "category": lambda table, column: [],  # noqa: ARG005
    "image": _check_media,
    "audio": _check_media,
}


def _long(part: pa.Array) -> list[tuple[int, int]]:
    """Index and length of the texts that are too long."""
    if not is_string(part.type):
        return []
    lengths = np.asarray(pc.fill_null(pc.utf8_length(part), 0))
    return [(int(at), int(lengths[at])) for at in np.flatnonzero(lengths > MAX_TEXT_CHARS)]


def _too_long(table: Table, column: str, at: int, length: int) -> BadRow:
    return BadRow(int(table.rows[at]), column, f"{length:,} characters, more than {MAX_TEXT_CHARS:,}")


def _check_targets(table: Table) -> list[BadRow]:
    """Rows in which all targets are missing."""
    targets = table.schema.targets
    missing = np.logical_and.reduce([_missing(table, column) for column in targets])
    names = ", ".join(column.name for column in targets)
    return [BadRow(int(row), names, "no label in any of them") for row in table.rows[missing]]


def _missing(table: Table, column: Column) -> np.ndarray:
    """Which rows have no value there (N,); what can't be read is not missing."""
    values = table.column(column.name)
    if column.kind != "number":
        return np.concatenate([is_missing(part) for part in slices(values)] or [np.zeros(0, bool)])
    numbers, unreadable = to_numbers(values, column.form)
    missing: np.ndarray = np.asarray(pc.is_null(numbers)).copy()
    missing[unreadable] = False
    return missing


def _check_role(table: Table, column: Column, *, may_lack: bool = False) -> list[BadRow]:
    values = table.column(column.name)
    missing = _missing(table, column)
    wrong: dict[int, str] = {}
    if column.kind == "number":
        numbers, unreadable = to_numbers(values, column.form)
        wrong = {int(at): _no_number(values[int(at)].as_py(), column) for at in unreadable}
        wrong |= wrong_numbers(column.role, numbers)
    if column.kind == "date":
        dates = read_dates(values, column.form)[1]
        wrong = {int(at): _no_date(values[int(at)].as_py(), column) for at in dates}
        missing[dates] = False
    if column.role == "split":
        words = enumerate(values.to_pylist())
        wrong = {at: f"{_shown(word)} is no split (train, validation or test)" for at, word in words if _no_split(word)}
    what = NO_LABEL if column.role == "target" and column.kind == "category" else "missing"
    wrong |= {int(at): what for at in np.flatnonzero(missing if not may_lack else missing[:0])}
    return [BadRow(int(table.rows[at]), column.name, reason) for at, reason in wrong.items()]


def _no_number(value: object, column: Column) -> str:
    return f"{_shown(value)} {NumberForm.of(column.form).why_not(str(value))}"


def _no_split(word: object) -> bool:
    return str(word).strip().lower() not in SPLITS


def _shown(value: object) -> str:
    return f"'{shortened_text(str(value), 40)}'"


def _listing(lines: Sequence[str]) -> str:
    more = [f"… and {len(lines) - LISTED:,} more"] if len(lines) > LISTED else []
    return "\n".join(f"  {line}" for line in [*lines[:LISTED], *more])
