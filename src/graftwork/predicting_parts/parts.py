"""The parts of a prediction: the chunks that one process would read, with the rows in them that can't be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from graftwork.data.quality.checks import BadRow
from graftwork.data.table import Table
from graftwork.predicting import chunks_of
from graftwork.saved import Saved


@dataclass(frozen=True)
class Part:
    """Rows `start` to `stop` of a table, counted from 0, the last one left out. without: numbers of those among them
    that can't be read, counted from 1."""

    number: int
    start: int
    stop: int
    without: tuple[int, ...] = ()

    @property
    def readable(self) -> int:
        """Rows that are predicted."""
        return self.stop - self.start - len(self.without)

    @property
    def shown(self) -> str:
        """For a reader, who counts rows from 1."""
        return f"rows {self.start + 1:,} to {self.stop:,}"


def parts_of(model: Saved, table: Table, bad: Sequence[BadRow]) -> list[Part]:
    """In order; how they are cut depends on the model and the number of rows alone, not on the processes there are."""
    unreadable = sorted({row.row for row in bad})
    parts, at = list[Part](), 0
    for number, rows in enumerate(chunks_of(model, len(table))):
        start, stop, begun = int(rows[0]), int(rows[-1]) + 1, at
        while at < len(unreadable) and unreadable[at] <= stop:
            at += 1
        parts.append(Part(number, start, stop, tuple(unreadable[begun:at])))
    return parts
