"""One finding of a profile: sentences for a reader, numbers for a program, and the rows that it is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class RowNote:
    """A row that a finding names, and why.

    row: its number in the source, from 1 for the first data row (`Table.rows`). table: which table it stands in.
    other: the row of the training table that it is held against, the one that is kept of two, if there is one.
    suggested: what it might be instead (another label), where something is known.
    """

    row: int
    reason: str
    other: int | None = None
    suggested: str = ""
    table: Literal["train", "test"] = "train"

    def plain(self) -> dict[str, Any]:
        """As JSON; what is not there is left out."""
        said: dict[str, Any] = {"table": self.table, "row": self.row, "reason": self.reason}
        if self.other is not None:
            said["other"] = self.other
        return said | ({"suggested": self.suggested} if self.suggested else {})


@dataclass(frozen=True)
class Finding:
    """about: what was looked at, in one word ("duplicates", "label-errors", "shift", "learning-curve", ...).

    sentences: what was found, for a reader; the first one says it all in short. numbers: the same for programs, as
    plain JSON. rows: those to look at, the most telling first. remedy: what to do about it; empty where nothing is to
    be done.
    """

    about: str
    sentences: tuple[str, ...]
    numbers: Mapping[str, Any] = field(default_factory=dict)
    rows: tuple[RowNote, ...] = ()
    remedy: str = ""

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "about": self.about,
            "sentences": list(self.sentences),
            "remedy": self.remedy,
            "numbers": dict(self.numbers),
            "rows": [note.plain() for note in self.rows],
        }
