"""Who watches the runs: told what happens, never asked. `graftwork.runs.watching` shows it; this one shows nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from graftwork.core.fit import Progress
from graftwork.evidence.ablation.outcome import Outcome
from graftwork.evidence.tune.trials import Trial
from graftwork.tasks.metrics.metric import Metric


class Listener:
    """Hears what runs do and ignores it; subclasses override what they want to show."""

    def note(self, text: str) -> None:
        """Something the user should know: what was inferred, skipped, chosen."""

    def doing(self, what: str) -> None:
        """A phase of the call begins that no run counts: reading, checking, scoring."""

    def scored_by(self, metrics: Mapping[str, Metric]) -> None:
        """The metrics, by target, of which the scores of all runs are made; told before the first run."""

    def began(self, name: str, recipe: Mapping[str, Any]) -> None:
        """A run is about to start with this recipe, as `Recipe.to_dict` gives it; steps and rates are settled."""

    def planned(self, name: str, plan: str) -> None:
        """A run is about to start; `plan` is `Plan.explain()`."""

    def computed(self, done: int, rows: int) -> None:
        """Rows of the frozen base computed so far."""

    def stepped(self, name: str, progress: Progress) -> None:
        """A training step of the run `name` is done."""

    def placed(self, name: str, where: str) -> None:
        """The run `name` is made on this machine of a cluster: begun there, or begun again after another was lost.
        Empty: it is done."""

    def finished(self, name: str, score: float | None, seconds: float) -> None:
        """The run `name` is done; score on validation, more is better."""

    def tabled(self, found: Callable[[], Outcome], state: str) -> None:
        """An ablation has one run more; what it has found so far, and what comes next."""

    def resumed(self, trials: Sequence[Trial]) -> None:
        """A tune goes on with these trials, as an earlier call left them; told before the first one is run."""

    def trying(self, trial: Trial, part: str) -> None:
        """A trial of a tune is about to run, or to go on: steps that are told under its name are of this part of it
        ("run", or one by fold: "fold-0", …)."""

    def tried(self, trial: Trial, state: str) -> None:
        """A trial of a tune was scored, failed or was left out. state: what comes next and how much time is left, in a
        line. A trial that is taken up again is told once more, under the same number."""

    def ended(self, text: str) -> None:
        """The call is done; how good the model is, what it was made from, what to do next, a line each."""


class Relay(Listener):
    """Hands everything on to another listener; subclasses override what they want to hear, too."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    def note(self, text: str) -> None:
        self._listener.note(text)

    def doing(self, what: str) -> None:
        self._listener.doing(what)

    def scored_by(self, metrics: Mapping[str, Metric]) -> None:
        self._listener.scored_by(metrics)

    def began(self, name: str, recipe: Mapping[str, Any]) -> None:
        self._listener.began(name, recipe)

    def planned(self, name: str, plan: str) -> None:
        self._listener.planned(name, plan)

    def computed(self, done: int, rows: int) -> None:
        self._listener.computed(done, rows)

    def stepped(self, name: str, progress: Progress) -> None:
        self._listener.stepped(name, progress)

    def placed(self, name: str, where: str) -> None:
        self._listener.placed(name, where)

    def finished(self, name: str, score: float | None, seconds: float) -> None:
        self._listener.finished(name, score, seconds)

    def tabled(self, found: Callable[[], Outcome], state: str) -> None:
        self._listener.tabled(found, state)

    def resumed(self, trials: Sequence[Trial]) -> None:
        self._listener.resumed(trials)

    def trying(self, trial: Trial, part: str) -> None:
        self._listener.trying(trial, part)

    def tried(self, trial: Trial, state: str) -> None:
        self._listener.tried(trial, state)

    def ended(self, text: str) -> None:
        self._listener.ended(text)


class Recorder(Relay):
    """Keeps the notes for the report."""

    def __init__(self, listener: Listener) -> None:
        super().__init__(listener)
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)
        super().note(text)
