"""What the rows of a table are divided by, for the search for worse slices and for the scores that a user asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from graftwork.data.store.spool import slices
from graftwork.data.table import Table
from graftwork.evidence.scores.domains import LEAST, MOST, DomainScore
from graftwork.evidence.scores.intervals import Score
from graftwork.evidence.slices.clusters import clusters
from graftwork.evidence.slices.columns import asked_partition, table_partitions
from graftwork.evidence.slices.partition import Partition
from graftwork.evidence.slices.worse import Search, worse_slices
from graftwork.tasks.task import Task


@dataclass(frozen=True)
class Divided:
    """N rows, divided. target: what is predicted of them. every: by what worse slices are looked for. asked: by what a
    user wants the scores. together (N,): which rows belong together, -1 for none."""

    target: str = ""
    every: tuple[Partition, ...] = ()
    asked: Mapping[str, Partition] = field(default_factory=dict)
    together: np.ndarray | None = None


def divided(
    table: Table, target: str, by: Sequence[str] = (), features: Mapping[str, np.ndarray] | None = None
) -> Divided:
    """By columns, lengths of texts, domains, and clusters. by: columns, or `length(COLUMN)`, to score by.
    features: of each row, by input (N, F), where they are at hand; texts without them are clustered by their words.

    Raises UsageError for a column that is not there, or has too many values.
    """
    asked = {name: asked_partition(table, name) for name in dict.fromkeys(by)}
    every = [*table_partitions(table, target), *_clusters(table, features or {})]
    known = {(one.kind, one.name) for one in every}
    every += [one for one in asked.values() if (one.kind, one.name) not in known and one.name != target]
    return Divided(target, tuple(every), asked, _together(table))


def worse(
    task: Task, truth: np.ndarray, given: np.ndarray, parts: Divided, rows: np.ndarray, numbers: np.ndarray
) -> Search:
    """Worse slices among scored rows, their classes as well. truth, given: as `Task.metric_inputs` gives them of the
    rows at these places (N,), which have these numbers (N,). None where a task has no one right answer a row."""
    size = task.wrongness(truth, given)
    if size is None:
        return Search()
    bad = np.maximum(size, 0.0) if task.answer == "number" else (size >= 0).astype(np.float64)
    every = [partition.take(rows) for partition in parts.every]
    if task.answer == "class":
        every.append(Partition("class", parts.target, task.classes, truth))
    together = None if parts.together is None else parts.together[rows]
    return worse_slices(every, bad, numbers, together=together, size=size)


def partition_scores(
    partition: Partition, score: Callable[[np.ndarray], Mapping[str, Score]]
) -> tuple[DomainScore, ...]:
    """By group, in their order, the largest ones. score: of these rows."""
    sizes = np.bincount(partition.codes[partition.codes >= 0], minlength=len(partition.groups))
    largest = np.sort(np.argsort(-sizes, kind="stable")[:MOST])
    return tuple(
        DomainScore(
            partition.groups[at],
            int(sizes[at]),
            score(np.flatnonzero(partition.codes == at)) if sizes[at] >= LEAST else {},
        )
        for at in largest.tolist()
        if sizes[at]
    )


def _clusters(table: Table, features: Mapping[str, np.ndarray]) -> list[Partition]:
    """Of each input that is no row of numbers and categories."""
    found = []
    for one in table.schema.modalities:
        texts = _joined(table, one.columns) if one.modality == "text" else None
        values = features.get(one.name)
        if one.modality != "table" and (texts is not None or values is not None):
            found.append(clusters(one.name, values, texts))
    return [one for one in found if one is not None]


def _joined(table: Table, columns: Sequence[str]) -> list[str]:
    rows = zip(*(table.values(name) for name in columns), strict=True)
    return [" ".join(str(value) for value in row if value is not None) for row in rows]


def _together(table: Table) -> np.ndarray | None:
    column = table.schema.role("group")
    if column is None:
        return None
    parts = [part.cast(pa.string()).to_pylist() for part in slices(table.column(column.name))]
    values = [value for part in parts for value in part]
    codes: dict[str, int] = {value: at for at, value in enumerate(dict.fromkeys(v for v in values if v is not None))}
    return np.array([codes.get(value, -1) for value in values], dtype=np.int64)
