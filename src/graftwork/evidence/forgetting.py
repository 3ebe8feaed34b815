"""What a run did to what its base could do before: the old task's score with the base as it was, and as it is now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graftwork.evidence.scores.intervals import Interval, Score
from graftwork.evidence.words import line, quoted
from graftwork.shown import counted


@dataclass(frozen=True)
class Remembered:
    """How well an old head does on rows of its own target, before and after the base below it was trained further.

    target: of the old model. model: its folder. source: the table. before, after: scores by the metric's name, the one
    that counts first. change: of that one, above 0 where it became better; each draw takes the same rows for both.
    """

    target: str
    model: str
    source: str
    rows: int
    before: Mapping[str, Score]
    after: Mapping[str, Score]
    change: Interval

    @property
    def primary(self) -> str:
        """The name of the metric that counts."""
        return next(iter(self.before))

    @property
    def sentence(self) -> str:
        """Both scores, and what their difference says."""
        before, after = self.before[self.primary], self.after[self.primary]
        of = f"{counted(self.rows)} of {line(self.source)}"
        told = f"The old task {quoted(self.target)} on {of}: {before.display.lower()}"
        change = self.change
        if change.value == change.low == change.high == 0.0:
            return f"{told} {before.value_text} before and after: nothing was forgotten, its base gives what it gave."
        told = f"{told} {before.value_text} before, {after.value_text} after:"
        if change.low <= 0.0 <= change.high:
            return f"{told} these rows don't tell the two apart ({_between(before, change)})."
        word = "gained" if change.value > 0 else "forgotten"
        return f"{told} {_amount(before, abs(change.value))} {word} ({_between(before, change)})."

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {
            "model": self.model,
            "data": self.source,
            "rows": self.rows,
            "primary": self.primary,
            "before": {name: score.to_json() for name, score in self.before.items()},
            "after": {name: score.to_json() for name, score in self.after.items()},
            "change": self.change.to_json(),
        }


def remembered_json(found: Sequence[Remembered]) -> dict[str, Any]:
    """By target of the old model."""
    return {one.target: one.to_json() for one in found}


def _amount(score: Score, value: float) -> str:
    """A difference of two scores, in the metric's unit."""
    return f"{100 * value:.1f} points" if score.metric.unit == "percent" else score.metric.text(value)


def _between(score: Score, change: Interval) -> str:
    """The interval of the change."""
    low, high = (_signed(score, value) for value in (change.low, change.high))
    return f"95 % interval of the change {low.removesuffix(' points')} to {high}"


def _signed(score: Score, value: float) -> str:
    sign = "+" if value > 0 else "-" if value < 0 else ""
    return sign + _amount(score, abs(value))
