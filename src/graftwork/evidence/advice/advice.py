"""What to do next with a run: items with the gain that was measured, ranked, each with its command. Plain data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from graftwork.evidence.ablation.scale import Scale
from graftwork.evidence.profile.finding import RowNote
from graftwork.evidence.scores.intervals import Interval
from graftwork.shown import counted, shown_line

About = Literal["rows", "labels", "base", "technique", "input", "setting", "classes"]
_SHOWN_ROWS = 5
LINES = 5
"""Items of an Advice as Python shows it."""


@dataclass(frozen=True)
class Item:
    """One thing that can be done.

    about: what it changes. text: it, and why, in a sentence or two. command: that does it, or looks closer. gain: what
    it should bring in the score of the run, more is better, with its 95 % interval; None where nothing could measure
    it. measured: on what. easier: the gain comes of an easier question, not of a better answer. rows: it is about.
    """

    about: About
    text: str
    command: str = ""
    gain: Interval | None = None
    measured: str = ""
    easier: bool = False
    rows: tuple[RowNote, ...] = ()

    @property
    def sure(self) -> bool:
        """Whether the interval of the gain lies above 0."""
        return self.gain is not None and self.gain.low > 0

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {
            "about": self.about,
            "text": self.text,
            "command": self.command,
            "gain": self.gain.to_json() if self.gain is not None else None,
            "measured": self.measured,
            "easier": self.easier,
            "rows": [note.plain() for note in self.rows],
        }


@dataclass(frozen=True)
class ToLabel:
    """A row of a pool that is worth a label: its number there, and what the model can't decide on."""

    row: int
    reason: str

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {"row": self.row, "reason": self.reason}


@dataclass(frozen=True, repr=False)
class Advice:
    """items: the most promising first. run: the folder that it is about. scale: what gains are gains of. notes: what
    was looked at and is not advised, and what could not be looked at. to_label: rows of a pool, the first ones
    first."""

    items: tuple[Item, ...]
    run: str = ""
    scale: Scale = field(default_factory=Scale)
    notes: tuple[str, ...] = ()
    to_label: tuple[ToLabel, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {
            "run": self.run,
            **self.scale.to_json(),
            "items": [one.to_json() for one in self.items],
            "notes": list(self.notes),
            "to_label": [one.to_json() for one in self.to_label],
        }

    def lines(self, most: int | None = None) -> list[str]:
        """For a terminal: each item with its gain, its command and some rows; then the notes."""
        found = list[str]()
        for number, one in enumerate(self.items[:most], 1):
            found += [f"{number}. {one.text}", *(f"   {line}" for line in self._below(one))]
        if most is not None and len(self.items) > most:
            found.append(f"… and {counted(len(self.items) - most, 'item')} more: see .items")
        if not self.items:
            found.append("Nothing that was looked at promises a gain.")
        if self.to_label:
            found.append(f"rows to label first ({len(self.to_label):,}):")
            found += [f"   row {one.row}: {one.reason}" for one in self.to_label[:_SHOWN_ROWS]]
            more = len(self.to_label) - _SHOWN_ROWS
            found += [f"   and {more:,} more"] if more > 0 else []
        found += [f"note: {note}" for note in self.notes] if most is None else []
        return [shown_line(line) for line in found]

    def gain_text(self, one: Item) -> str:
        """`+1.8 points of Accuracy (+0.6 to +2.9)`; that it was not measured, where it was not."""
        if one.gain is None:
            return "not measured"
        if one.easier:  # always of the share of rows that are right, whatever the run is scored by
            told = [f"{100 * end:+.1f}" for end in (one.gain.value, one.gain.low, one.gain.high)]
            return f"{told[0]} points of accuracy ({told[1]} to {told[2]}){'' if one.sure else '; may be nothing'}"
        gain, interval = self.scale.number(one.gain.value), self.scale.interval(one.gain.low, one.gain.high)
        open_ = "" if one.sure else "; may be nothing"
        return f"{gain} {self.scale.what} ({interval}){open_}"

    def _below(self, one: Item) -> list[str]:
        found = [f"gain: {self.gain_text(one)}{f'; {one.measured}' if one.measured else ''}"]
        if one.rows:
            rows = ", ".join(str(note.row) for note in one.rows[:_SHOWN_ROWS])
            more = f" and {len(one.rows) - _SHOWN_ROWS:,} more" if len(one.rows) > _SHOWN_ROWS else ""
            found.append(f"rows: {rows}{more}")
        return [*found, one.command] if one.command else found

    def __repr__(self) -> str:
        return "\n".join(self.lines(LINES))


def ranked(items: Sequence[Item]) -> tuple[Item, ...]:
    """Gains that are sure first, then those that may be nothing, then what was not measured; easier questions come
    behind better answers of their kind. Within these the larger gain first. What was measured to bring nothing is left
    out, but for labels in doubt: scores can't be trusted before these are settled."""
    kept = [one for one in items if one.gain is None or one.gain.value > 0 or one.about == "labels"]

    def key(one: Item) -> tuple[int, bool, float]:
        group = 2 if one.gain is None else 0 if one.sure else 1
        return group, one.easier, -(one.gain.value if one.gain is not None else 0.0)

    return tuple(sorted(kept, key=key))
