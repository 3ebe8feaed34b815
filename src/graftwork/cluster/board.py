"""What pieces of work tell while they are worked on: put up by them, taken down by the driver."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Self

from graftwork.cluster.work import Told

EVERY = 0.5
"""Seconds for which a piece keeps what it has to tell, so that quick steps cost little."""
MOST = 10_000
"""Events that wait at most; where nobody takes them down, the oldest go."""


class Board:
    """Holds what is told until it is taken; Ray runs it as a process of its own."""

    def __init__(self) -> None:
        self._events: list[Told] = []

    def put(self, events: list[Told]) -> None:
        self._events = [*self._events, *events][-MOST:]

    def take(self) -> list[Told]:
        taken, self._events = self._events, []
        return taken


class Teller:
    """Tells of one piece, several things at a time; what is left is told at the end. put: into the board."""

    def __init__(self, number: int, put: Callable[[list[Told]], None]) -> None:
        self._number, self._put = number, put
        self._events: list[Told] = []
        self._last = time.monotonic()

    def __call__(self, what: str, value: Any = None) -> None:
        self._events.append(Told(self._number, what, value))
        if time.monotonic() - self._last >= EVERY:
            self.flush()

    def flush(self) -> None:
        """Tell it now."""
        if self._events:
            self._put(self._events)
        self._events, self._last = [], time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.flush()
