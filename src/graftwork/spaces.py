"""Where a setting may be searched: a range of numbers, or a few values. They stand in the class whose setting it is."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graftwork.errors import UsageError


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included; whole ones where both are int. log: as likely within each factor.

    >>> 16 in Range(4, 64, log=True), 0.5 in Range(4, 64), 4.5 in Range(4, 64)
    (True, False, False)
    """

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        if not self.low < self.high or (self.log and self.low <= 0):
            raise UsageError(f"A range from {self.low} to {self.high} can't be searched. Expected low < high, 0 < low.")

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}{', by factors' if self.log else ''}"

    @property
    def whole(self) -> bool:
        """Whether only whole numbers are meant."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def __contains__(self, value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return self.low <= value <= self.high and (not self.whole or value == int(value))


@dataclass(frozen=True)
class Choice:
    """A few values, all as likely.

    >>> True in Choice((True, False)), "c" in Choice(("a", "b"))
    (True, False)
    """

    values: tuple[Any, ...]

    def __post_init__(self) -> None:
        if len(set(map(repr, self.values))) < 2:
            raise UsageError(f"A choice of {self.values!r} can't be searched. Expected two values or more.")

    def __str__(self) -> str:
        return f"{', '.join(map(str, self.values[:-1]))} or {self.values[-1]}"

    def __contains__(self, value: object) -> bool:
        return value in self.values


Space = Range | Choice
Spaces = Mapping[str, Space]
"""By the name of a setting."""


def spaces_of(settings: type) -> dict[str, Space]:
    """The settings of a class that are searched, by name, in the order of its fields: what its `searched` says."""
    searched: Spaces = getattr(settings, "searched", {})
    names = [one.name for one in dataclasses.fields(settings) if one.init]
    return {name: searched[name] for name in names if name in searched}
