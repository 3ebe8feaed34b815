"""The clock that a budget is counted by, and when something must be over. The wall's unless a caller gives another."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

from graftwork.core.parallel.workers import Workers
from graftwork.errors import UsageError

Clock = Callable[[], float]
"""Seconds since some moment; `time.process_time` counts a budget in CPU seconds."""


class Began(NamedTuple):
    """`time.monotonic()` and `time.process_time()` when a call began."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Deadline:
    """A moment of a clock. budget: the seconds that the user gave; shared: among how many runs what is left is shared
    out, as where each domain is left out in turn. Both are for messages."""

    at: float
    clock: Clock = time.monotonic
    budget: float = 0.0
    shared: int = 1

    @classmethod
    def after(cls, seconds: float, clock: Clock = time.monotonic, began: float | None = None) -> Deadline:
        """So many seconds after `began`, a moment of that clock; now where it is left out."""
        return cls((clock() if began is None else began) + seconds, clock, seconds)

    def left(self) -> float:
        """Seconds until then; below 0 once it has passed."""
        return self.at - self.clock()

    def sooner(self, seconds: float) -> Deadline:
        return replace(self, at=self.at - seconds)

    def part(self, share: float) -> Deadline:
        """The moment at which this share of what is left will have passed."""
        left = max(self.left(), 0.0)
        return replace(self, at=self.at - (1 - share) * left)

    def refuse(self, lacking: float, what: str) -> UsageError:
        """An error that names the least budget. lacking: seconds; what: that they are needed for."""
        least = at_least(self.budget + lacking * self.shared)
        return UsageError(
            f"The budget of {shown(self.budget)} is too small: {what}. Give --budget {shown(least)} or more, "
            "or fewer rows, or a smaller base."
        )


def check_budget(budget: float | None) -> None:
    """Raise UsageError for what is no number of seconds above 0; None is no budget.

    >>> check_budget("10m")
    Traceback (most recent call last):
    graftwork.errors.UsageError: The budget is '10m'. Expected a positive number of seconds.
    """
    if budget is not None and not (isinstance(budget, int | float) and 0 < budget < math.inf):
        given = f"{budget:g} seconds" if isinstance(budget, int | float) else repr(budget)
        raise UsageError(f"The budget is {given}. Expected a positive number of seconds.")


def at_least(seconds: float) -> float:
    """A budget that is enough where `seconds` were measured to be: a sixth more, in steps that people write."""
    step = 5.0 if seconds < 120 else 30.0
    return -(-seconds * 7 // (6 * step)) * step


def shown(seconds: float) -> str:
    """As `--budget` takes it.

    >>> shown(90), shown(2.5), shown(600), shown(7200)
    ('90s', '2.5s', '10m', '2h')
    """
    for unit, letter in ((3600, "h"), (60, "m")):
        if seconds >= 2 * unit and seconds % unit == 0:
            return f"{seconds / unit:g}{letter}"
    return f"{seconds:g}s"


def shared(deadline: Deadline | None, workers: Workers) -> Deadline | None:
    """The deadline by worker 0's clock, at all workers."""
    if deadline is None or workers.count == 1:
        return deadline
    return replace(deadline, at=workers.same(deadline.at), clock=workers.clock(deadline.clock))
