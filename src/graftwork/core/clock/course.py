"""The course of a run: how far it is at each step, also where a time budget has shortened it on its way.

A run of `total` steps goes evenly from 0 to 1. A cut `(at, end)` was decided after step `at`: from there on the rest of
the way is gone in fewer steps, so that the run ends after step `end`. Learning rate, validation and whatever else
depends on progress follow it. Plain numbers say it all, so that a recipe repeats a shortened run bit for bit.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

from graftwork.errors import UsageError


@dataclass(frozen=True)
class Course:
    """total: steps that were planned. cuts: pairs of numbers, one pair behind the other: after which step a cut was
    decided, and after which step the run ends.

    >>> course = Course(100, (40, 70))
    >>> course.end, [course.place(step) for step in (0, 40, 55, 70)]
    (70, [0, 40, 70.0, 100.0])
    """

    total: int
    cuts: tuple[int, ...] = ()

    @property
    def end(self) -> int:
        """The step after which the run is over."""
        return self.cuts[-1] if self.cuts else self.total

    def place(self, step: int) -> float:
        """Where a step stands among those that were planned: the step itself as long as nothing was cut."""
        start, place, rate = 0, 0.0, 1.0
        passed = False
        for at, end in self._pairs():
            if step <= at:
                break
            place, start, passed = place + (at - start) * rate, at, True
            rate = (self.total - place) / (end - at)
        return place + (step - start) * rate if passed else step

    def step_at(self, place: float) -> int:
        """The first step that stands at `place` or behind it."""
        low, high = 0, self.end
        while low < high:
            middle = (low + high) // 2
            if self.place(middle) >= place - 1e-6:
                high = middle
            else:
                low = middle + 1
        return low

    def cut(self, at: int, end: int) -> Course:
        """The same run, to end after step `end`, decided after step `at`."""
        return replace(self, cuts=(*self.cuts, at, end))

    def _pairs(self) -> list[tuple[int, int]]:
        """Those that go on after they were decided; one that ended the run at once needs no rate."""
        pairs = zip(self.cuts[::2], self.cuts[1::2], strict=True)
        return [(at, end) for at, end in pairs if end > at]


def check_cuts(cuts: tuple[int, ...], steps: int | None) -> None:
    """Raise UsageError where the setting `cuts` can't have been written by a run of so many steps."""
    if not cuts:
        return
    decided, ends = cuts[::2], cuts[1::2]
    rising = all(first <= second for first, second in itertools.pairwise(decided))  # again where it had paused
    falling = all(first > second for first, second in itertools.pairwise((steps or 0, *ends)))
    sound = len(cuts) % 2 == 0 and steps is not None and rising and falling and min(decided) >= 0
    if not sound or any(at > end for at, end in zip(decided, ends, strict=True)):
        raise UsageError(
            f"Setting cuts is {'+'.join(map(str, cuts))}. Expected pairs of numbers, as a run writes them: a step, and "
            "the number of steps from there on, which is less than before; and the setting steps."
        )
