"""What gives the target away, or lets a model learn rows by heart: a column, the order of the rows, an id, a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from graftwork.data.columns.ids import says_id, whole_numbers
from graftwork.data.columns.times import moment_text, moments
from graftwork.data.quality.compare import value_codes
from graftwork.data.quality.leakage import BINS, Leak, answered, explained
from graftwork.data.table import Column, Table
from graftwork.evidence.profile.finding import Finding
from graftwork.evidence.words import part, quoted, sentence
from graftwork.tasks.task import Task

FEWEST = 100
"""Rows below which neither order nor time is looked at."""
TOLD = 0.5
"""Share of the mistakes of the most frequent answer (of the variance, for numbers) that the place of a row spares, from
which rows are taken to be sorted."""
DRIFTS = 0.1
"""The same for a time, from which the target is said to change with it."""
_ROWS_A_BIN, _ERRORS = 20, 3
"""Rows that answer for each other at least; standard errors by which they must be better than one answer for all."""
_IDS = 20
"""Values of a column whose name says id, from which it is taken to name things."""


@dataclass
class _Found:
    sentences: list[str] = field(default_factory=list)
    remedies: list[str] = field(default_factory=list)
    numbers: dict[str, object] = field(default_factory=dict)

    def add(self, key: str, value: object, said: str, remedy: str = "") -> None:
        self.numbers[key] = value
        self.sentences.append(said)
        self.remedies += [remedy] if remedy else []


def leaks(train: Table, test: Table | None, tasks: Mapping[str, Task], columns: Sequence[Leak]) -> Finding:
    """columns: inputs that give a target away by themselves (`find_leaks`)."""
    found = _Found()
    for leak in columns:
        said, _, todo = leak.sentence.partition(". ")
        found.add(f"column {leak.column}", round(leak.share, 4), sentence(said), todo)
    for target, task in tasks.items():
        if task.single_label or task.answer == "number":
            _order(train, target, task, found)
    for column in train.schema.inputs:
        if column.kind in ("category", "number") and says_id(column.name):
            _ids(train, test, column, found)
    group = train.schema.role("group")
    if group is not None and test is not None and group.name in test.data.column_names:
        _shared_groups(train, test, group.name, found)
    if not found.sentences:
        return Finding("leakage", ("No column and no order of the rows gives the target away.",), found.numbers)
    return Finding("leakage", tuple(found.sentences), found.numbers, remedy=" ".join(dict.fromkeys(found.remedies)))


def times(train: Table, test: Table | None, tasks: Mapping[str, Task]) -> Iterator[Finding]:
    """For each column of times: from when to when, whether the target changes with it, and whether the test rows come
    later."""
    for name in _time_columns(train):
        when = moments(train.column(name))
        if np.isnan(when).all():
            continue
        found, role = _Found(), train.schema.role("time")
        first, last = (moment_text(train.column(name), float(pick(when))) for pick in (np.nanmin, np.nanmax))
        found.add("first", first, f"{quoted(name)} goes from {first} to {last}.")
        found.numbers["last"] = last
        changes = [target for target, task in tasks.items() if _drifts(train, target, task, when, found)]
        later = test is not None and name in test.data.column_names and _later(test, name, when, found)
        if (changes or later) and role is None:
            found.remedies.append(f"Validate on the latest rows: --role time={name}.")
        yield Finding("time", tuple(found.sentences), {"column": name} | found.numbers, remedy=" ".join(found.remedies))


def _time_columns(table: Table) -> list[str]:
    """The one with the role, else all inputs that hold dates."""
    role = table.schema.role("time")
    return [role.name] if role is not None else [column.name for column in table.schema.inputs if column.kind == "date"]


def _order(table: Table, target: str, task: Task, found: _Found) -> None:
    told = _told(np.arange(len(table), dtype=np.float64), table, target, task)
    if told is None or told < TOLD:
        return
    found.add(
        f"order {target}",
        round(told, 4),
        f"The rows are sorted by {quoted(target)}: the place of a row spares {100 * told:.0f} % of the mistakes of the "
        "most frequent answer."
        if task.single_label
        else f"The rows are sorted by {quoted(target)}.",
        "Row numbers and ids that count up must not be inputs; where a file is cut, shuffle it first.",
    )


def _ids(train: Table, test: Table | None, column: Column, found: _Found) -> None:
    """An input that names customers, say: rows of the same one are alike, and later rows have others."""
    codes = value_codes(train.column(column.name))
    values = len(np.unique(codes[codes >= 0]))
    if values < _IDS or (values > 0.9 * len(train) and column.kind == "category"):
        return
    if column.kind == "number" and whole_numbers(train.column(column.name).drop_null().to_pylist()) is None:
        return
    said = f"{quoted(column.name)} is read as an input, and its {values:,} values name something"
    if test is not None and column.name in test.data.column_names:
        new = _new(train, test, column.name)
        said += f"; {part(int(new.sum()), len(new))} test rows have one that training never had"
    remedy = (
        f"If later rows have other values of {column.name}, hold whole ones out (--role group={column.name}), or leave "
        f"it out (--ignore {column.name})."
    )
    found.add(f"id {column.name}", values, f"{said}.", remedy)


def _shared_groups(train: Table, test: Table, name: str, found: _Found) -> None:
    shared = ~_new(train, test, name)
    if shared.any():
        found.add(
            "test rows of known groups",
            int(shared.sum()),
            f"{part(int(shared.sum()), len(shared))} test rows are of a {quoted(name)} that has training rows too.",
            "Scores on them say less of new ones: take whole groups for the test.",
        )


def _new(train: Table, test: Table, name: str) -> np.ndarray:
    """Which test rows have a value there that no training row has (N,)."""
    known = {str(value) for value in train.values(name) if value is not None}
    return np.array([value is not None and str(value) not in known for value in test.values(name)], bool)


def _drifts(train: Table, target: str, task: Task, when: np.ndarray, found: _Found) -> bool:
    told = _told(when, train, target, task) if task.single_label or task.answer == "number" else None
    if told is None or told < DRIFTS:
        return False
    found.add(
        f"{target} told",
        round(told, 4),
        f"{quoted(target)} changes with it: the time alone spares {100 * told:.0f} % of "
        + ("the mistakes of the most frequent answer." if task.single_label else "the variance."),
    )
    return True


def _later(test: Table, name: str, when: np.ndarray, found: _Found) -> bool:
    asked = moments(test.column(name))
    asked = asked[~np.isnan(asked)]
    if not len(asked):
        return False
    last = np.nanmax(when)
    after = float((asked > last).mean())
    if after > 0.5:
        found.add(
            "test rows later", round(after, 4), f"{part(int((asked > last).sum()), len(asked))} test rows come later."
        )
        return True
    early, late = np.nanmin(when), last
    within = float(((asked >= early) & (asked <= late)).mean())
    found.add(
        "test rows within",
        round(within, 4),
        f"{part(round(within * len(asked)), len(asked))} test rows lie between them: the test does not ask about later "
        "times than the training rows know.",
    )
    return False


def _told(place: np.ndarray, table: Table, target: str, task: Task) -> float | None:
    """Share of the mistakes of one answer for all (of the variance) that a number spares: rows with nearly the same one
    answer for each other. None for few rows."""
    encoded = task.encode_rows(table, target)
    if encoded is None:
        return None
    values, labelled = np.asarray(encoded[0]), encoded[1] & ~np.isnan(place)
    at = np.random.default_rng(0).permutation(np.flatnonzero(labelled))
    if len(at) < FEWEST:
        return None
    half, given = len(at) // 2, place[at]
    bins = min(BINS, max(2, half // _ROWS_A_BIN))
    edges = np.unique(np.quantile(given[:half], np.linspace(0, 1, bins + 1)[1:-1]))
    keys = np.searchsorted(edges, given)
    if not task.single_label:
        return explained(keys, values[at].astype(np.float64), half)
    right, plain = answered(keys, values[at], half)
    chance = _ERRORS * float(np.sqrt(plain * (1 - plain) / (len(at) - half)))
    return (right - plain) / (1 - plain) if right - plain > chance else 0.0
