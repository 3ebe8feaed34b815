"""Parts of the report that a task makes itself (`graftwork.tasks.section`), in the looks of all others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from graftwork.evidence.page.markdown import plain
from graftwork.evidence.page.tables import MOST_CLASSES, Grid, Value, as_number
from graftwork.evidence.rows import RowView
from graftwork.evidence.words import line
from graftwork.tasks.section import Section

_LONGEST = 300
"""Characters of a cell."""


@dataclass(frozen=True)
class OwnSection:
    """A section as the page's template reads it. anchor: by which it is linked."""

    anchor: str
    title: str
    sentences: tuple[str, ...]
    grid: Grid | None
    rows: Grid | None


def own_sections(found: Sequence[Section], views: Mapping[int, RowView], at: int) -> list[OwnSection]:
    """Of the target at this place. views: rows of the data as they are shown, by number."""
    return [
        OwnSection(
            anchor=f"own-{at}-{index}",
            title=line(one.title, 80),
            sentences=tuple(line(said, 1000) for said in one.sentences),
            grid=_grid(one) if one.grid and one.grid.rows else None,
            rows=_rows(one, views) if one.rows else None,
        )
        for index, one in enumerate(found)
    ]


def own_markdown(found: Sequence[Section], head: str) -> str:
    """The same without rows of the data, for the model card; head: marks of a heading. Empty where there is none."""
    parts = []
    for one in found:
        parts += [f"{head} {plain(one.title)}", *(plain(said) for said in one.sentences)]
        if one.grid and one.grid.rows:
            lines = [one.grid.columns, tuple("---" for _ in one.grid.columns), *one.grid.rows[:MOST_CLASSES]]
            parts.append("\n".join(f"| {' | '.join(map(plain, cells))} |" for cells in lines))
    return "\n\n".join(parts)


def _grid(section: Section) -> Grid:
    """Columns of which every cell is a number are set, and sorted, as such."""
    assert section.grid is not None
    columns, rows = section.grid.columns, section.grid.rows[:MOST_CLASSES]
    numbers = {at for at in range(len(columns)) if all(as_number(cells[at]) is not None for cells in rows)}
    cells = tuple(
        tuple(Value(line(cell, _LONGEST), as_number(cell) if at in numbers else None) for at, cell in enumerate(row))
        for row in rows
    )
    return Grid(line(section.title, 80), tuple(line(name, 80) for name in columns), cells, frozenset(numbers))


def _rows(section: Section, views: Mapping[int, RowView]) -> Grid:
    rows = tuple(
        (Value(row=views.get(one.row, RowView(f"row {one.row:,}", ())), sort=one.row), Value(line(one.text, _LONGEST)))
        for one in section.rows
    )
    return Grid(f"Rows: {line(section.title, 80)}", ("Row", "What there is to see"), rows)
