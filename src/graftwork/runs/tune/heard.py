"""What is said of each trial while a tune runs."""

from __future__ import annotations

from dataclasses import dataclass

from graftwork.evidence.tune.trials import Trial
from graftwork.runs.clock import Deadline
from graftwork.runs.listener import Listener
from graftwork.shown import counted


@dataclass
class Heard:
    """ends: when the whole call must be over. most: trials."""

    listener: Listener
    ends: Deadline | None
    most: int | None

    def tried(self, trial: Trial) -> None:
        """Tell of a trial, and how far the search is."""
        self.listener.tried(trial, self._state(trial))

    def _state(self, trial: Trial) -> str:
        told = [] if self.most is None else [f"{trial.number + 1} of {counted(self.most, 'trial')}"]
        left = None if self.ends is None else self.ends.left()
        return ", ".join(told + ([] if left is None else [f"{max(left, 0.0):.0f} s left"]))
