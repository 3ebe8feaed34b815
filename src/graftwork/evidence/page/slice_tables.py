"""The report's table of slices in which a model is worse, with rows to look at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graftwork.evidence.details import NumberDetails
from graftwork.evidence.page.tables import Grid, Value
from graftwork.evidence.results import Result
from graftwork.evidence.rows import RowView
from graftwork.evidence.slices.worse import ALPHA, Search, Slice
from graftwork.evidence.words import amount, line, of_hundred
from graftwork.shown import counted, shown_percent

SLICE_ROWS = 3
"""Rows of a slice that are shown."""
MOST_SLICES = 30


def slice_parts(result: Result, views: Mapping[int, RowView]) -> dict[str, Any]:
    """By name, what the page's template fills in."""
    _, evaluation = result.headline
    return {
        "slices": slice_grid(result) if evaluation.slices.found else None,
        "slices_said": slices_said(evaluation.slices),
        "slice_rows": slice_rows(evaluation.slices, views),
    }


def slices_said(search: Search) -> str:
    """What was looked at, and what that came to; nothing where no group had rows enough."""
    if not search.looked_at:
        return ""
    groups = counted(search.looked_at, "group")
    by = "by column, length, class, domain and kind of row"
    if not search.found:
        return f"{groups} of rows were looked at, {by}: none is clearly worse than the other rows."
    return (
        f"{groups} of rows were looked at, {by}. Listed are those that are clearly worse than the other rows: if none "
        f"were, such a list would be empty in {100 * (1 - ALPHA):.0f} of 100 reports. The rows that picked a group "
        "also score it, so on new rows it may be somewhat better than here."
    )


def slice_grid(result: Result) -> Grid:
    """The worst first."""
    _, evaluation = result.headline
    numbers = isinstance(evaluation.details, NumberDetails)
    rows = tuple(_cells(one, numbers=numbers) for one in evaluation.slices.found[:MOST_SLICES])
    head = ("Where", "Rows", "Off by, on average" if numbers else "Right", "Other rows", "By chance")
    return Grid("Groups of rows in which it is worse, the worst first", head, rows, frozenset({1, 2, 3, 4}))


def slice_rows(search: Search, views: Mapping[int, RowView]) -> list[tuple[str, list[RowView]]]:
    """By group, a few of its rows, those that are worst."""
    found = search.found[:MOST_SLICES]
    shown = [(line(one.where, 120), [views[row] for row in one.worst[:SLICE_ROWS] if row in views]) for one in found]
    return [(where, rows) for where, rows in shown if rows]


def _cells(one: Slice, *, numbers: bool) -> tuple[Value, ...]:
    also = f"also where {'; '.join(line(name, 100) for name in one.same)}" if one.same else ""
    if numbers:
        here, rest = (Value(amount(value), value) for value in (one.bad, one.rest))
    else:
        here, rest = (Value(of_hundred(1 - value), 1 - value, 1 - value) for value in (one.bad, one.rest))
    chance = "less than 0.1 %" if one.p < 0.001 else f"{shown_percent(one.p)} %"
    return Value(line(one.where, 120), small=also), Value(f"{one.rows:,}", one.rows), here, rest, Value(chance, one.p)
