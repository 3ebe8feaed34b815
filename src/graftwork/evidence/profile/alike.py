"""Rows that are the same or nearly so: twice in a table, under several labels, or in the training and the test rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from graftwork.data.quality.compare import value_codes
from graftwork.data.quality.near_texts import Pairs, near_texts
from graftwork.data.quality.repeats import first_alike, groups_alike, row_keys
from graftwork.data.table import Schema, Table
from graftwork.evidence.profile.finding import Finding, RowNote
from graftwork.evidence.words import quoted
from graftwork.shown import counted, shown_percent
from graftwork.tasks.task import Task


@dataclass(frozen=True)
class Alike:
    """What is compared of the rows of a table: keys of all inputs, and of the targets, -1 without a label (N,)."""

    table: Table
    keys: np.ndarray
    labels: np.ndarray

    @classmethod
    def of(cls, table: Table) -> Alike:
        """Of a table that was read as the training table is."""
        targets = [column.name for column in table.schema.targets]
        codes = [value_codes(table.column(name)) for name in targets]
        labels = first_alike(*codes) if len(codes) > 1 else codes[0] if codes else np.full(len(table), -1)
        return cls(table, row_keys(table), labels)


def alike(train: Table, test: Table | None, tasks: Mapping[str, Task]) -> Iterator[Finding]:
    """Findings on `duplicates`, `conflicts`, `near-duplicates`, and with a test table `overlap`."""
    rows = Alike.of(train)
    yield duplicates(rows)
    for target, task in tasks.items():
        if task.answer in ("class", "classes"):
            yield conflicts(rows, target, several=len(tasks) > 1)
    asked = None if test is None else Alike.of(test)
    texts = any(column.kind == "text" for column in train.schema.inputs)
    pairs = _near(rows, asked) if texts else None
    if pairs is not None:
        yield near_duplicates(rows, pairs, classes=any(task.answer == "class" for task in tasks.values()))
    if asked is not None:
        yield overlap(rows, asked, pairs)


def duplicates(rows: Alike) -> Finding:
    """Rows with the inputs and the targets of an earlier row."""
    first, numbers = first_alike(rows.keys, rows.labels), rows.table.rows
    again = np.flatnonzero(first != np.arange(len(first)))
    inputs = int((first_alike(rows.keys) != np.arange(len(first))).sum())
    details = {"rows": len(again), "share": _share(len(again), len(first)), "rows with repeated inputs": inputs}
    if not len(again):
        return Finding("duplicates", ("No row has the inputs and the target of another one.",), details)
    notes = tuple(
        RowNote(int(numbers[at]), f"the same as row {numbers[first[at]]}", int(numbers[first[at]])) for at in again
    )
    said = f"{_rows(len(again), len(first))} the inputs and the target of an earlier row{_listed(notes)}."
    if _in_rows(rows.table.schema):
        remedy = "Rows of numbers and categories alone often come alike; if these were copied, --drop duplicates."
    else:
        remedy = "They count twice in training: --drop duplicates keeps the first of each."
    return Finding("duplicates", (said,), details, notes, remedy)


def conflicts(rows: Alike, target: str, *, several: bool) -> Finding:
    """Equal inputs with different labels. Where more than half of such rows agree, the others are named, else all."""
    values = rows.table.column(target)
    codes, numbers = value_codes(values), rows.table.rows
    known = np.flatnonzero(codes >= 0)
    notes, groups, concerned = list[RowNote](), 0, 0
    for group in groups_alike(rows.keys[known]):
        at = known[group]
        found, counts = np.unique(codes[at], return_counts=True)
        if len(found) < 2:
            continue
        groups, concerned = groups + 1, concerned + len(at)
        usual = found[counts.argmax()] if 2 * counts.max() > len(at) else None
        for one in at:
            if codes[one] != usual:
                other = next(
                    int(row) for row in at if codes[row] == usual or (usual is None and codes[row] != codes[one])
                )
                here, there = (_label(values[int(row)].as_py()) for row in (one, other))
                reason = f"{quoted(here)}, but row {numbers[other]} with the same inputs is {quoted(there)}"
                suggested = there if usual is not None else ""
                notes.append(RowNote(int(numbers[one]), reason, int(numbers[other]), suggested))
    of = f" of {quoted(target)}" if several else ""
    details = {"target": target, "inputs": groups, "rows": concerned, "rows named": len(notes)}
    if not groups:
        return Finding("conflicts", (f"No inputs stand there with different labels{of}.",), details)
    said = (
        f"{counted(groups, 'input stands', 'inputs stand')} there more than once with different labels{of} "
        f"({counted(concerned)}); row {notes[0].row} is {notes[0].reason}."
    )
    remedy = "No model can be right on all of them. Settle their labels, or --drop conflicts."
    return Finding("conflicts", (said,), details, tuple(notes), remedy)


def near_duplicates(rows: Alike, pairs: Pairs, *, classes: bool) -> Finding:
    """Texts that are nearly those of an earlier row, all else the same. Those with the same label are named; of the
    others it is said how many there are."""
    numbers, own = rows.table.rows, len(rows.keys)
    within = [pair for pair in _each(pairs) if pair[1] < own and rows.keys[pair[0]] != rows.keys[pair[1]]]
    dropped, notes, differ = set[int](), list[RowNote](), set[int]()
    for first, second, share in within:
        if classes and rows.labels[first] != rows.labels[second]:
            differ.add(second)
        elif first not in dropped and second not in dropped:
            dropped.add(second)
            reason = f"{shown_percent(share)} % alike with row {numbers[first]}"
            notes.append(RowNote(int(numbers[second]), reason, int(numbers[first])))
    near = len({second for _, second, _ in within})
    details = {"rows": near, "share": _share(near, own), "rows named": len(notes)}
    details |= {"rows with another label": len(differ)} if classes else {}
    if not within:
        return Finding("near-duplicates", ("No text is nearly that of another row.",), details)
    said = [f"{_rows(near, own)} a text that is nearly that of an earlier row{_listed(notes)}."]
    if differ:
        first, second, _ = next(pair for pair in within if pair[1] in differ)
        have = "have another label than the row they resemble" if len(differ) > 1 else "has another label"
        said.append(f"{len(differ):,} of these {have}, such as row {numbers[second]} beside row {numbers[first]}.")
    remedy = "--drop near-duplicates keeps the first of those with the same label." if notes else ""
    return Finding("near-duplicates", tuple(said), details, tuple(notes), remedy)


def overlap(rows: Alike, asked: Alike, pairs: Pairs | None) -> Finding:
    """Test rows that stand in the training rows too, exactly or nearly; the training rows are named."""
    numbers, test_numbers, own = rows.table.rows, asked.table.rows, len(rows.keys)
    there = dict(zip(asked.keys.tolist()[::-1], range(len(asked.keys) - 1, -1, -1), strict=True))
    notes, named = list[RowNote](), set[int]()
    for at, key in enumerate(rows.keys.tolist()):
        if key in there:
            test_row = int(test_numbers[there[key]])
            notes.append(RowNote(int(numbers[at]), f"the same as row {test_row} of the test table", test_row))
            named.add(at)
    exact = int(np.isin(asked.keys, rows.keys).sum())
    close = set[int]()
    same = set(np.flatnonzero(np.isin(asked.keys, rows.keys)).tolist())
    for first, second, share in _each(pairs) if pairs is not None else ():
        if first < own <= second and second - own not in same:
            close.add(second - own)
            if first not in named:
                test_row = int(test_numbers[second - own])
                reason = f"{shown_percent(share)} % alike with row {test_row} of the test table"
                notes.append(RowNote(int(numbers[first]), reason, test_row))
                named.add(first)
    details = {"test rows": exact, "share": _share(exact, len(asked.keys)), "near test rows": len(close)}
    details |= {"training rows": len(named)}
    if not notes:
        return Finding("overlap", ("No test row stands in the training rows, nor nearly so.",), details)
    said = [
        f"{exact:,} of {len(asked.keys):,} test rows ({shown_percent(exact / len(asked.keys))} %) also stand in the "
        "training rows" + (f", and {len(close):,} more nearly do." if close else ".")
    ]
    remedy = "Scores on them are too good. --drop overlap takes them out of the training rows."
    return Finding("overlap", tuple(said), details, tuple(notes), remedy)


def _near(rows: Alike, asked: Alike | None) -> Pairs:
    """Pairs among the rows of both tables, those of the test table counted behind the training rows."""
    tables = [rows.table, *([asked.table] if asked is not None else [])]
    texts = [text for table in tables for text in _texts(table)]
    return near_texts(texts, np.concatenate([_others(table) for table in tables]))


def _texts(table: Table) -> list[str]:
    names = [column.name for column in table.schema.inputs if column.kind == "text"]
    columns = [table.column(name).to_pylist() for name in names]
    return ["\n".join(value or "" for value in values) for values in zip(*columns, strict=True)]


def _others(table: Table) -> np.ndarray:
    """A key for what rows hold besides texts (N,)."""
    rest = Schema(tuple(column for column in table.schema.inputs if column.kind != "text"))
    if not rest.columns:
        return np.zeros(len(table), np.int64)
    return row_keys(Table(table.data, rest, table.source, table.rows, table.folder))


def _each(pairs: Pairs) -> Iterator[tuple[int, int, float]]:
    yield from zip(pairs.first.tolist(), pairs.second.tolist(), pairs.alike.tolist(), strict=True)


def _in_rows(schema: Schema) -> bool:
    return all(one.modality == "table" for one in schema.modalities)


def _label(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _rows(count: int, of: int) -> str:
    return f"{count:,} of {of:,} rows {'has' if count == 1 else 'have'}"


def _listed(notes: Sequence[RowNote], most: int = 5) -> str:
    if not notes:
        return ""
    shown = ", ".join(str(note.row) for note in notes[:most])
    more = f" and {len(notes) - most:,} more" if len(notes) > most else ""
    return f" (row{'' if len(notes) == 1 else 's'} {shown}{more})"


def _share(count: int, of: int) -> float:
    return round(count / max(1, of), 6)
