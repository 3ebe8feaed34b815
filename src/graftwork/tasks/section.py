"""A part of the report that a task makes itself, as plain data; how it looks is decided where reports are made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Grid:
    """A small table of text: the names of its columns, and as many cells in each row."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class RowNote:
    """A row worth a look: its number in the table, and what is said of it."""

    row: int
    text: str


@dataclass(frozen=True)
class Section:
    """A titled part of the report, with any of: sentences, a grid, and rows, the most telling ones first."""

    title: str
    sentences: tuple[str, ...] = ()
    grid: Grid | None = None
    rows: tuple[RowNote, ...] = ()


@dataclass(frozen=True)
class SeenRows:
    """The N rows that a section is about: their numbers in the table (N,), and where known what a reader sees of each
    (its inputs, joined)."""

    numbers: np.ndarray
    texts: Sequence[str] | None = None
