"""What a run tells on another machine, and who hears it here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from graftwork.cluster.work import Cost, Told, sentences
from graftwork.core.fit import Progress
from graftwork.evidence.tune.trials import Trial
from graftwork.runs.listener import Listener

Tell = Callable[[str, Any], None]


class Telling(Listener):
    """On a machine: hands on what a run tells, to where the call was made."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell

    def doing(self, what: str) -> None:
        self._tell("doing", what)

    def stepped(self, name: str, progress: Progress) -> None:
        self._tell("stepped", (name, progress))

    def trying(self, trial: Trial, part: str) -> None:
        self._tell("trying", (trial, part))


def how_far(told: Told) -> tuple[str, int] | None:
    """The steps of a run, by its name, where that is what is told."""
    if told.what != "stepped":
        return None
    name, progress = told.value
    return name, progress.step


class Hearing:
    """Where the call was made: a listener hears of all runs, and on which machine each is. name: of a piece of work, as
    it is told of; by its number."""

    def __init__(self, listener: Listener, name: Callable[[int], str]) -> None:
        self._listener, self._name = listener, name

    def __call__(self, told: Told, node: str) -> None:
        if told.what == "at":
            self._listener.placed(self._name(told.number), node)
        elif told.what == "doing":
            self._listener.doing(f"{node}: {told.value}")
        elif told.what == "stepped":
            self._listener.stepped(*told.value)
        elif told.what == "trying":
            self._listener.trying(*told.value)


def cost_notes(costs: Mapping[str, Cost], what: str) -> list[str]:
    """What each machine did, a line each; for the report too."""
    return sentences(dict(costs), what)
