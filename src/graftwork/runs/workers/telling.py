"""What the first worker's listener hears goes to the driver, whose own listener hears it there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from graftwork.core.fit import Progress
from graftwork.runs.listener import Listener


class Telling(Listener):
    """Hands on, as plain data, what one run tells. tell: what takes a message."""

    def __init__(self, tell: Callable[[Mapping[str, Any]], None]) -> None:
        self._tell = tell

    def note(self, text: str) -> None:
        self._told("note", text)

    def doing(self, what: str) -> None:
        self._told("doing", what)

    def began(self, name: str, recipe: Mapping[str, Any]) -> None:
        self._told("began", name, recipe)

    def planned(self, name: str, plan: str) -> None:
        self._told("planned", name, plan)

    def computed(self, done: int, rows: int) -> None:
        self._told("computed", done, rows)

    def stepped(self, name: str, progress: Progress) -> None:
        self._told("stepped", name, asdict(progress))

    def finished(self, name: str, score: float | None, seconds: float) -> None:
        self._told("finished", name, score, seconds)

    def _told(self, what: str, *given: Any) -> None:
        self._tell({"told": what, "given": given})


def hand_on(message: Mapping[str, Any], listener: Listener) -> None:
    """Let the driver's listener hear what `Telling` told."""
    what, given = message["told"], message["given"]
    if what == "stepped":
        listener.stepped(given[0], Progress(**given[1]))
    elif what in _TOLD:
        getattr(listener, what)(*given)


_TOLD = ("note", "doing", "began", "planned", "computed", "finished")
