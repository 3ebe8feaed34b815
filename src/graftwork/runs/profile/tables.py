"""The tables of a profile: all rows that can be used, and findings on those that can't."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pyarrow as pa

from graftwork.data.load import Source, load_like
from graftwork.data.quality.checks import check
from graftwork.data.quality.compare import value_codes
from graftwork.data.read.union import Part, read_parts, union
from graftwork.data.table import Table
from graftwork.errors import DataError
from graftwork.evidence.profile.finding import Finding, RowNote
from graftwork.evidence.words import listed
from graftwork.recipe import Recipe
from graftwork.runs.job.data_arguments import DataArguments
from graftwork.runs.job.job import Job, make_job
from graftwork.tasks.task import Task


@dataclass(frozen=True)
class Tables:
    """job: what was inferred. train: all labelled rows, those that a fit would hold out among them. test: None without
    one. raw: the training table as it was read, before anything was left out. findings: on rows that are not there."""

    job: Job
    train: Table
    test: Table | None
    raw: Part
    findings: tuple[Finding, ...]


def read_tables(data: DataArguments, recipe: Recipe) -> Tables:
    """Read and check the tables as a fit would; test rows of classes that training lacks are left out and named.

    Raises DataError and UsageError as a fit does; with `on_bad_rows` "skip", not for single rows.
    """
    raw = union(read_parts(data.train))
    job = make_job(replace(data, test=None), recipe)
    train = _whole(job)
    found = list(_left_out(raw, train, job.test, "train"))
    test = job.test
    if data.test is not None:
        test, more = _read_test(data.test, train, job.tasks, data)
        found += more
    return Tables(job, train, test, raw, tuple(found))


def _whole(job: Job) -> Table:
    """The rows that train and those that would validate, in the order of the source."""
    if job.valid is None:
        return job.train
    data = pa.concat_tables([job.train.data, job.valid.data])
    rows = np.concatenate([job.train.rows, job.valid.rows])
    return replace(job.train, data=data, rows=rows).take(np.argsort(rows, kind="stable"))


def _read_test(
    source: Source, train: Table, tasks: Mapping[str, Task], data: DataArguments
) -> tuple[Table, list[Finding]]:
    test = load_like(source, train.schema, with_target=True, on_bad_rows=data.on_bad_rows).table
    found = list(_left_out(union(read_parts(source)), test, None, "test"))
    for target, task in tasks.items():
        unknown = _unknown(test, target, task)
        if unknown.any():
            found.append(_of_unknown(test, target, unknown))
            test = test.take(np.flatnonzero(~unknown))
    if not len(test):
        raise DataError(f"{test.source}: no row has a class that the training table knows. Is it the right table?")
    return test, found


def _left_out(raw: Part, kept: Table, also: Table | None, name: Literal["train", "test"]) -> Iterator[Finding]:
    """A finding on the rows of a table that are not used, if there are any."""
    used = np.concatenate([kept.rows, also.rows]) if also is not None else kept.rows
    gone = np.setdiff1d(np.arange(1, len(raw.data) + 1), used)
    if not len(gone):
        return
    rows = Table(raw.data.take(pa.array(gone - 1)), kept.schema, raw.name, gone, raw.folder)
    reasons = {bad.row: f"{bad.column}: {bad.reason}" for bad in check(rows, need_target=True)}
    notes = tuple(RowNote(int(row), reasons.get(int(row), "the only row of its class"), table=name) for row in gone)
    said = (
        f"{len(gone):,} of {len(raw.data):,} rows of {raw.name} can't be used; row {notes[0].row}: {notes[0].reason}."
    )
    remedy = "Mend them, or --drop unusable." if name == "train" else "Mend them, or leave them out."
    yield Finding("unusable", (said,), {"table": name, "rows": len(gone), "of": len(raw.data)}, notes, remedy)


def _unknown(table: Table, target: str, task: Task) -> np.ndarray:
    """Which rows have a class that the task has not learned (N,)."""
    codes, found = value_codes(table.column(target)), np.zeros(len(table), bool)
    if task.answer not in ("class", "classes"):
        return found
    try:
        task.encode_rows(table, target)
    except DataError:
        values, first = np.unique(codes, return_index=True)
        for code, at in zip(values, first, strict=True):
            try:
                task.encode_rows(table.take([int(at)]), target)
            except DataError:
                found |= codes == code
    return found


def _of_unknown(table: Table, target: str, unknown: np.ndarray) -> Finding:
    at = np.flatnonzero(unknown)
    labels = [str(value) for value in table.column(target).take(pa.array(at)).to_pylist()]
    distinct = tuple(dict.fromkeys(labels))
    notes = tuple(
        RowNote(int(table.rows[row]), f"'{label}' is no class of the training rows", table="test")
        for row, label in zip(at, labels, strict=True)
    )
    said = f"{len(at):,} of {len(table):,} test rows are of classes that no training row has: {listed(distinct)}."
    remedy = "A model can't learn what it never sees: let some of these rows train, or correct their labels."
    numbers = {"target": target, "rows": len(at), "classes": list(distinct)}
    return Finding("unknown-classes", (said,), numbers, notes, remedy)
