"""A profile's page as plain data: what to settle, then a section for each finding with the rows to look at. No HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from graftwork.evidence.page.tables import Grid, Value
from graftwork.evidence.profile.curve_plot import curve_plot
from graftwork.evidence.profile.finding import Finding, RowNote
from graftwork.evidence.profile.titles import title_of
from graftwork.evidence.rows import Views
from graftwork.evidence.words import line

MOST_ROWS = 50
"""Rows of a finding that the page shows; its JSON has all."""
_MOST_CLASSES = 200


@dataclass(frozen=True)
class Section:
    """anchor: where it stands in the page. left: rows that are not shown. plot: SVG, our own text."""

    anchor: str
    title: str
    finding: Finding
    grids: tuple[Grid, ...]
    left: int = 0
    plot: Markup = field(default_factory=Markup)


def parts(title: str, findings: Sequence[Finding], views: Views) -> dict[str, Any]:
    """What the template is filled with."""
    sections = [_section(f"finding-{at}", finding, views) for at, finding in enumerate(findings)]
    settle = [section for section in sections if section.finding.remedy]
    return {"title": title, "sections": sections, "settle": settle}


def shown_rows(finding: Finding) -> tuple[RowNote, ...]:
    """Those that the page shows."""
    return finding.rows[:MOST_ROWS]


def _section(anchor: str, finding: Finding, views: Views) -> Section:
    rows = shown_rows(finding)
    grids = [grid for grid in (_counts(finding), _rows(finding, rows, views)) if grid]
    plot = Markup(curve_plot(finding.numbers)) if finding.about == "learning-curve" else Markup()
    return Section(anchor, title_of(finding), finding, tuple(grids), len(finding.rows) - len(rows), plot)


def _counts(finding: Finding) -> Grid | None:
    """Rows of each class, label, domain or group."""
    key = next((key for key in ("classes", "labels", "rows") if isinstance(finding.numbers.get(key), dict)), None)
    if key is None:
        return None
    counts: dict[str, int] = finding.numbers[key]
    largest = max(counts.values(), default=1)
    cells = tuple(
        (Value(line(name, 80)), Value(f"{count:,}", float(count), count / max(1, largest)))
        for name, count in list(counts.items())[:_MOST_CLASSES]
    )
    word = {"classes": "Class", "labels": "Label"}.get(key, finding.about.removesuffix("s").capitalize())
    return Grid(f"Rows of each {word.lower()}", (word, "Rows"), cells, frozenset({1}))


def _rows(finding: Finding, rows: Sequence[RowNote], views: Views) -> Grid | None:
    if not rows:
        return None
    suggests = any(note.suggested for note in rows)
    head = ("Row", "Why", *(("Perhaps",) if suggests else ()))
    cells = []
    for note in rows:
        view = views.get(note.table, {}).get(note.row)
        first = Value(f"{note.table} row {note.row:,}", float(note.row), row=view)
        cells.append((first, Value(line(note.reason)), *((Value(line(note.suggested)),) if suggests else ())))
    return Grid(f"Rows to look at: {title_of(finding).lower()}", head, tuple(cells))
