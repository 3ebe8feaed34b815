"""What is looked at of a table's rows to tell whether another table is like it: numbers, or counts of categories.

A number of each row, be it the length of a text or the light of a picture, and how often each category is there. Only
these are kept of the training rows, each by itself: nothing that is kept says which values stood in one row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from graftwork.core.rows.examples import Examples
from graftwork.data.columns.dates import WRITTEN
from graftwork.data.table import Column, Table
from graftwork.networks.audio.encoder import AudioEncoder
from graftwork.networks.encoder import Encoder
from graftwork.networks.network import Network
from graftwork.tasks.task import Task

Measure = Literal["number", "date", "characters", "light", "contrast", "seconds", "loudness", "category", "confidence"]
MISSING = float("-inf")
"""The number of a row that has none."""
NONE, OTHERS = "\0none", "\0others"
"""Categories of rows that have none, and of all that are too rare to be counted each."""
CATEGORIES = 100
"""Categories that are counted each."""
ROWS, MEDIA = 2000, 300
"""Rows of a table that are looked at, and pictures and sounds."""
TOGETHER = 32
"""Pictures or sounds looked at at a time."""


@dataclass(frozen=True)
class Aspect:
    """One thing that is looked at of each row.

    kind, name: of a column, or of the predictions of a target. measure: what of it. numbers: one a row, sorted,
    `MISSING` where there is none (N,). counts: rows of each category, in place of numbers.
    """

    kind: Literal["column", "predictions"]
    name: str
    measure: Measure
    numbers: np.ndarray = field(default_factory=lambda: np.zeros(0))
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        return sum(self.counts.values()) if self.counts else len(self.numbers)


def column_aspects(table: Table, network: Network, examples: Examples, rows: np.ndarray) -> Iterator[Aspect]:
    """Those of the columns that a network reads, of the rows at these places, which stand in no order.

    examples: all rows of the table, prepared.
    """
    read = {column for columns in network.sources.values() for column in columns}
    for column in table.schema.inputs:
        if column.name not in read:
            continue
        if column.kind in ("image", "audio"):
            yield from _media(column, network.encoder(column.name), examples, rows[:MEDIA])
            continue
        values = table.column(column.name).take(pa.array(rows))
        if column.kind == "category":
            yield _counted("column", column.name, values.to_pylist())
        else:
            yield _aspect(column.name, _MEASURES[column.kind], _NUMBERS[column.kind](values))


def prediction_aspects(name: str, task: Task, given: Any) -> Iterator[Aspect]:
    """Those of what is predicted of a target. given: of N rows, as `task.in_units` has it."""
    if task.answer == "class" and task.outputs > 1:
        yield _counted("predictions", name, [str(value) for value in task.decode(given)])
        yield _aspect(name, "confidence", np.asarray(given).max(axis=1), "predictions")
    elif task.answer == "classes":
        chosen = [", ".join(map(str, value)) or "no label" for value in task.decode(given)]
        yield _counted("predictions", name, chosen)
    elif task.answer == "number":
        values = np.asarray(given, np.float64)
        for at, column in enumerate(task.columns(name)):
            yield _aspect(column, "number", values.reshape(len(values), -1)[:, at], "predictions")


def counted_alike(first: Mapping[str, int], second: Mapping[str, int]) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Categories, and how often each is there in two tables (K,). What the first one has not counted by itself is among
    its others there, if it has any, so that it is there in the second too."""
    names, extra = list(first), Counter[str]()
    for name, count in second.items():
        extra[name if name in first or OTHERS not in first else OTHERS] += count
    names += [name for name in extra if name not in first]
    return names, np.array([first.get(name, 0) for name in names]), np.array([extra[name] for name in names])


def _aspect(
    name: str, measure: Measure, numbers: np.ndarray, kind: Literal["column", "predictions"] = "column"
) -> Aspect:
    return Aspect(kind, name, measure, np.sort(np.where(np.isfinite(numbers), numbers, MISSING).astype(np.float64)))


def _counted(kind: Literal["column", "predictions"], name: str, values: list[Any]) -> Aspect:
    """Where there are many categories, one half of the rows says which are counted each, and the other half counts
    them: those that are frequent by chance would be rarer in any other table."""
    written = [NONE if value is None else str(value) for value in values]
    every = Counter(written)
    if len(every) > CATEGORIES:
        frequent = {value for value, _ in Counter(written[::2]).most_common(CATEGORIES)}
        every = Counter(value if value in frequent else OTHERS for value in written[1::2])
        every[OTHERS] += 0
    return Aspect(kind, name, "category", counts=dict(every))


def _floats(column: pa.ChunkedArray) -> np.ndarray:
    return np.array([MISSING if value is None else float(value) for value in column.to_pylist()], np.float64)


def _milliseconds(column: pa.ChunkedArray) -> np.ndarray:
    return _floats(column.cast(WRITTEN, safe=False).cast(pa.int64()))


def _characters(column: pa.ChunkedArray) -> np.ndarray:
    return np.array([len(str(value)) if value is not None else 0 for value in column.to_pylist()], np.float64)


_MEASURES: dict[str, Measure] = {"number": "number", "date": "date", "text": "characters"}
_NUMBERS = {"number": _floats, "date": _milliseconds, "text": _characters}


def _media(column: Column, encoder: Encoder, examples: Examples, rows: np.ndarray) -> Iterator[Aspect]:
    """Of pictures as the network sees them how light they are and how much they vary; of sounds their seconds and
    loudness."""
    first, second = np.full(len(rows), MISSING), np.full(len(rows), MISSING)
    prepared = examples.inputs[column.name]
    for start in range(0, len(rows), TOGETHER):
        values = prepared.rows(rows[start : start + TOGETHER])
        there = [at for at, value in enumerate(values) if len(value)]
        if not there:
            continue
        inputs = encoder.collate([values[at] for at in there])
        places = start + np.array(there)
        if column.kind == "image":
            pixels = inputs["pixels"].float().flatten(1).numpy()
            first[places], second[places] = pixels.mean(axis=1), pixels.std(axis=1)
        else:
            assert isinstance(encoder, AudioEncoder)
            samples = inputs["samples"].numpy()
            power = (inputs["wave"].numpy().astype(np.float64) ** 2).sum(axis=1) / np.maximum(samples, 1)
            first[places], second[places] = samples / encoder.rate, 10 * np.log10(np.maximum(power, 1e-10))
    measures: tuple[Measure, Measure] = ("light", "contrast") if column.kind == "image" else ("seconds", "loudness")
    for measure, numbers in zip(measures, (first, second), strict=True):
        yield _aspect(column.name, measure, numbers)
