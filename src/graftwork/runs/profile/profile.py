"""What a table is like before anything is trained on it: every finding, in order."""

from __future__ import annotations

from collections.abc import Iterator

from graftwork.data.table import Table
from graftwork.evidence.profile.alike import alike
from graftwork.evidence.profile.balance import balance
from graftwork.evidence.profile.columns import columns
from graftwork.evidence.profile.finding import Finding
from graftwork.evidence.profile.leaks import leaks, times
from graftwork.evidence.profile.page import shown_rows
from graftwork.evidence.profile.profile import Profile
from graftwork.evidence.rows import RowView, row_views
from graftwork.evidence.shift import shifts
from graftwork.recipe import Recipe
from graftwork.runs.listener import Listener
from graftwork.runs.profile.features import frozen_base
from graftwork.runs.profile.findings import base_findings, unlearned
from graftwork.runs.profile.languages import languages
from graftwork.runs.profile.later_rows import time_findings
from graftwork.runs.profile.tables import Tables
from graftwork.shown import counted


def profile_tables(tables: Tables, recipe: Recipe, listener: Listener, *, features: bool) -> Profile:
    """All findings on tables that were read. features: also those that a base's features are needed for."""
    found = [*tables.findings, *_plain(tables, listener)]
    if features:
        found += _by_features(tables, recipe, listener)
    return Profile(tuple(found), _title(tables), _views(tables, found))


def _plain(tables: Tables, listener: Listener) -> Iterator[Finding]:
    """What rows say by themselves."""
    train, test, tasks = tables.train, tables.test, tables.job.tasks
    listener.doing("looking at the columns")
    yield columns(train)
    yield from languages(train)
    yield from balance(train, tasks)
    listener.doing("looking for rows that are alike")
    yield from alike(train, test, tasks)
    listener.doing("looking for what gives the target away")
    yield leaks(train, test, tasks, tables.job.leaks)
    yield from times(train, test, tasks)
    if test is not None:
        yield _differences(tables, test)


def _by_features(tables: Tables, recipe: Recipe, listener: Listener) -> Iterator[Finding]:
    """What the features of a frozen base say of the rows; one finding says so where the base starts from nothing."""
    listener.doing("loading the base")
    base = frozen_base(tables.job, recipe, listener)
    if base.unlearned:
        yield unlearned(base)
        return
    rows = base.features(tables.train, listener)
    others = None if tables.test is None else base.features(tables.test, listener)
    yield from base_findings(base, rows, others, listener)
    yield from time_findings(base, tables.train, rows)


def _differences(tables: Tables, test: Table) -> Finding:
    """How the test rows differ, by each column."""
    said = [f"{one[0].upper()}{one[1:]}." for one in shifts(tables.train, "test", test, tables.job.tasks)]
    if not said:
        return Finding("differences", ("No column of the test rows is clearly unlike that of the training rows.",))
    remedy = "Scores tell of rows like the test rows; train on some of them."
    return Finding("differences", tuple(said), {"found": len(said)}, remedy=remedy)


def _title(tables: Tables) -> str:
    test = f", {counted(len(tables.test), 'test row')}" if tables.test is not None else ""
    targets = ", ".join(tables.job.tasks)
    return f"{tables.train.source}: {counted(len(tables.train))}{test}, target {targets}"


def _views(tables: Tables, findings: list[Finding]) -> dict[str, dict[int, RowView]]:
    """The rows that the page shows."""
    views: dict[str, dict[int, RowView]] = {}
    for name, table in (("train", tables.train), ("test", tables.test)):
        wanted = [note.row for finding in findings for note in shown_rows(finding) if note.table == name]
        if table is not None and wanted:
            views[name] = row_views(table, list(dict.fromkeys(wanted)))
    return views
