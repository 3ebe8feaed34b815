"""How often each class stands in a table, how numbers to predict lie, and how many rows each domain or group has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow.compute as pc

from graftwork.data.quality.compare import rare_classes
from graftwork.data.table import Column, Table
from graftwork.evidence import warnings
from graftwork.evidence.profile.columns import spread
from graftwork.evidence.profile.finding import Finding, RowNote
from graftwork.evidence.words import listed, part, quoted
from graftwork.shown import counted, shown_number
from graftwork.tasks.labels import label_counts
from graftwork.tasks.task import Task

FEW = 5
"""Rows of a class below which it is rare."""
UNEVEN = 10
"""How many times as frequent as the usual class the most frequent one is, from where accuracy misleads."""
_SPIKE = 0.2
"""Share of equal numbers that is said."""


def balance(table: Table, tasks: Mapping[str, Task]) -> Iterator[Finding]:
    """A finding for each target, then one for the domains and one for the groups, if rows have any."""
    for target, task in tasks.items():
        if target not in table.data.column_names:
            continue
        if task.single_label:
            yield _classes(table, target)
        elif task.answer == "classes":
            yield _labels(table, target, task)
        elif task.answer == "number":
            yield _numbers(table, target)
    for role in ("domain", "group"):
        column = table.schema.role(role)
        if column is not None:
            yield _parts(table, column, tasks)


def _classes(table: Table, target: str) -> Finding:
    counts = label_counts(table.column(target))
    total, names = sum(counts.values()), list(counts)
    first, usual = counts[names[0]], float(np.median(list(counts.values())))
    said = f"{quoted(target)} has {counted(len(counts), 'class')}: {_most(counts)}."
    sentences, remedies = [said], []
    rare = rare_classes(table, target, FEW)
    notes = [RowNote(row, f"one of {counted(each.count)} of '{each.label}'") for each in rare[:20] for row in each.rows]
    if (len(counts) < total and first > UNEVEN * usual and len(counts) > 1) or first > 0.8 * total:
        sentences.append(f"Always answering {quoted(names[0])} is right in {part(first, total)} rows.")
        remedies.append("Choose by --metric macro_f1, which counts every class alike.")
    for warning in (*warnings.rare_classes(rare, len(counts), FEW), *warnings.spellings(tuple(counts))):
        said, _, todo = warning.message.partition(". ")
        sentences.append(f"{said}.")
        remedies.append(todo)
    numbers = {"target": target, "rows": total, "classes": counts, "missing": len(table) - total}
    return Finding("balance", tuple(sentences), numbers, tuple(notes), " ".join(dict.fromkeys(remedies)))


def _most(counts: Mapping[str, int], most: int = 4) -> str:
    named = [f"{quoted(name, 30)} {count:,}" for name, count in list(counts.items())[:most]]
    if len(counts) <= most:
        return ", ".join(named)
    last = list(counts.items())[-1]
    return f"{', '.join(named)}, … {quoted(last[0], 30)} {last[1]:,}"


def _labels(table: Table, target: str, task: Task) -> Finding:
    """Of targets with any number of labels a row."""
    found = task.encode_rows(table, target)
    marks = np.zeros((0, len(task.classes))) if found is None else np.asarray(found[0])[found[1]]
    each = dict(zip(task.classes, marks.sum(axis=0).astype(int).tolist(), strict=True))
    counts = dict(sorted(each.items(), key=lambda pair: (-pair[1], pair[0])))
    many = marks.sum(axis=1)
    sentences = [
        f"{quoted(target)} has {counted(len(counts), 'label')}, {shown_number(round(float(many.mean()), 2))} a row: "
        f"{_most(counts)}."
    ]
    rare = [name for name, count in counts.items() if count < FEW]
    if (many == 0).any():
        sentences.append(f"{part(int((many == 0).sum()), len(many))} rows have none of them.")
    if rare:
        sentences.append(f"Labels with fewer than {FEW} rows: {listed(rare)}.")
    remedy = "Expect mistakes on rare labels; add rows, or join them with related ones." if rare else ""
    return Finding("balance", tuple(sentences), {"target": target, "rows": len(many), "labels": counts}, remedy=remedy)


def _numbers(table: Table, target: str) -> Finding:
    numbers = np.asarray(table.column(target).drop_null(), np.float64)
    found = spread(numbers)
    low, high, half = (shown_number(found[name]) for name in ("least", "most", "half"))
    ends = f"{shown_number(found['from'])} and {shown_number(found['to'])}"
    sentences = [f"{quoted(target)} goes from {low} to {high}, half are above {half}, nine of ten between {ends}."]
    values, counts = np.unique(numbers, return_counts=True)
    often = int(counts.argmax())
    if counts[often] > _SPIKE * len(numbers) and len(values) > 2:
        sentences.append(f"{part(int(counts[often]), len(numbers))} are {shown_number(float(values[often]))}.")
    deviation = float(numbers.std())
    skew = float((((numbers - numbers.mean()) / deviation) ** 3).mean()) if deviation else 0.0
    if skew > 2 and numbers.min() >= 0:
        sentences.append("A few are far larger than the others.")
    details: dict[str, Any] = {"target": target, "rows": len(numbers), "values": found, "skewness": round(skew, 4)}
    return Finding("balance", tuple(sentences), details)


def _parts(table: Table, column: Column, tasks: Mapping[str, Task]) -> Finding:
    """How rows are spread over domains or groups, and how differently classes are spread over them."""
    counted_values = pc.value_counts(table.column(column.name).drop_null())
    names = counted_values.field("values").cast("string").to_pylist()
    counts = dict(sorted(zip(names, counted_values.field("counts").to_pylist(), strict=True), key=lambda p: -p[1]))
    sizes = np.array(list(counts.values()))
    word = f"{column.role}s"
    sentences = [
        f"{quoted(column.name)} has {len(counts):,} {word}, of {shown_number(float(np.median(sizes)))} rows in the "
        f"middle: {_most(counts)}."
    ]
    numbers: dict[str, Any] = {"column": column.name, "rows": counts}
    for target, task in tasks.items():
        told = _told_by(table, column, target) if task.single_label else None
        if told is not None:
            numbers[f"{target} told"] = round(told, 4)
            if told > 0.1:
                sentences.append(
                    f"Classes of {quoted(target)} are not alike in them: knowing the {column.role} spares "
                    f"{100 * told:.0f} % of the mistakes of the most frequent answer."
                )
    return Finding(word, tuple(sentences), numbers)


def _told_by(table: Table, column: Column, target: str) -> float | None:
    """Share of the mistakes of always giving the most frequent class that the most frequent one by domain spares."""
    names = table.values(column.name)
    labels = [None if value is None else str(value) for value in table.values(target)]
    known = [(name, label) for name, label in zip(names, labels, strict=True) if label is not None]
    if len({name for name, _ in known}) * 10 > len(known):
        return None
    _, domain = np.unique([str(name) for name, _ in known], return_inverse=True)
    _, label = np.unique([label for _, label in known], return_inverse=True)
    counts = np.zeros((domain.max() + 1, label.max() + 1), np.int64)
    np.add.at(counts, (domain, label), 1)
    most, alone = counts.max(axis=1).sum(), counts.sum(axis=0).max()
    return float(most - alone) / max(1, len(known) - int(alone))
