"""What is said of each trial while a tune runs."""

from __future__ import annotations

from graftwork.core.fit import Progress
from graftwork.evidence.tune.trials import Trial
from graftwork.runs.clock import Deadline
from graftwork.runs.listener import Listener, Relay
from graftwork.shown import counted


class Heard(Relay):
    """Hands on what runs tell, the same phase once however many folds have it. ends: when the whole call must be over.
    most: trials."""

    def __init__(self, listener: Listener, ends: Deadline | None, most: int | None) -> None:
        super().__init__(listener)
        self._ends, self._most, self._phase, self._begun = ends, most, "", 0

    def doing(self, what: str) -> None:
        if what != self._phase:
            self._phase = what
            super().doing(what)

    def done(self, trial: Trial) -> None:
        """Tell of a trial, and how far the search is."""
        self._begun = max(self._begun, trial.number + 1)  # an earlier one may be taken up again
        told = [] if self._most is None else [f"{self._begun} of {counted(self._most, 'trial')}"]
        told += [] if self._ends is None else [f"{max(self._ends.left(), 0.0):.0f} s left"]
        self.tried(trial, ", ".join(told))


class UnderName(Listener):
    """Hands on how far a run is, under the name of its trial. run: what the run is called."""

    def __init__(self, listener: Listener, name: str, run: str) -> None:
        self._listener, self._name, self._run = listener, name, run

    def doing(self, what: str) -> None:
        self._listener.doing(f"{self._name}{what.removeprefix(self._run)}")

    def computed(self, done: int, rows: int) -> None:
        self._listener.computed(done, rows)

    def stepped(self, name: str, progress: Progress) -> None:  # noqa: ARG002
        self._listener.stepped(self._name, progress)
