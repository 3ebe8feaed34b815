"""What a user sees of the runs of a call: what was inferred, each plan, how far a run is, and how well it does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Self

from graftwork.core.fit import Progress
from graftwork.core.scoring import shown_score
from graftwork.evidence.ablation.outcome import Outcome
from graftwork.evidence.ablation.scale import scale_of
from graftwork.evidence.ablation.table import live_table
from graftwork.evidence.tune.live import live_table as live_trials
from graftwork.evidence.tune.trials import Trial
from graftwork.progress import Screen, screen
from graftwork.runs.listener import Listener
from graftwork.tasks.metrics.metric import Metric

FROZEN = "frozen base"


@contextmanager
def heard(listener: Listener | None, verbose: bool) -> Iterator[Listener]:
    """The listener of a call in Python: the given one, else one that shows what happens, or nothing."""
    if listener is not None or not verbose:
        yield listener or Listener()
        return
    with Watching() as watching:
        yield watching


class Watching(Listener):
    """A listener that shows all it hears on a screen; used in a `with`."""

    def __init__(self, on: Screen | None = None) -> None:
        self._screen = on or screen()
        self._metrics: Mapping[str, Metric] = {}
        self._trials: dict[int, Trial] = {}
        self._where: dict[str, str] = {}

    def __enter__(self) -> Self:
        self._screen.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._screen.__exit__()

    def note(self, text: str) -> None:
        self._screen.note(text)

    def doing(self, what: str) -> None:
        self._screen.doing(what)

    def scored_by(self, metrics: Mapping[str, Metric]) -> None:
        self._metrics = metrics

    def planned(self, name: str, plan: str) -> None:
        self._screen.forget(FROZEN)
        lines = plan.splitlines()
        self.note(f"{name}: {plan}" if len(lines) == 1 else "\n  ".join([name, *lines]))

    def computed(self, done: int, rows: int) -> None:
        self._screen.show(FROZEN, done, rows, "rows")
        if done >= rows:
            self._screen.forget(FROZEN)

    def stepped(self, name: str, progress: Progress) -> None:
        state = f"loss {progress.loss:.3f}"
        if progress.score is not None and progress.best is not None:
            state += f" · score {self._score(progress.score)} · best {self._score(progress.best)}"
        if progress.watched is not None:
            state += f" · probe {abs(progress.watched):.4f}"
        self._screen.show(self._placed(name), progress.step, progress.total, "steps", state)

    def placed(self, name: str, where: str) -> None:
        self._screen.forget(self._placed(name))
        self._where.pop(name, "")
        if where:
            self._where[name] = where
            self._screen.show(self._placed(name), 0, 0, "steps")

    def finished(self, name: str, score: float | None, seconds: float) -> None:
        self._screen.forget(self._placed(name))
        scored = "" if score is None else f", {self._score(score)} on validation"
        self.note(f"{name}: done in {seconds:.0f} s{scored}")

    def tabled(self, found: Callable[[], Outcome], state: str) -> None:
        self._screen.table(lambda: live_table(found(), state))

    def resumed(self, trials: Sequence[Trial]) -> None:
        self._trials = {one.number: one for one in trials}

    def tried(self, trial: Trial, state: str) -> None:
        self._screen.forget(self._placed(trial.name))
        where = self._where.pop(trial.name, "")
        self._trials[trial.number] = trial
        others = [one.score for one in self._trials.values() if one.score is not None and one is not trial]
        is_best = trial.score is not None and trial.score > max(others, default=float("-inf"))
        self.note(self._tried(trial, is_best=is_best, state=", ".join(filter(None, (where, state)))))
        self._trials[trial.number] = self._trials.pop(trial.number)  # the last one told stands last
        trials = list(self._trials.values())
        self._screen.table(lambda: live_trials(trials, scale_of(self._metrics), state))

    def ended(self, text: str) -> None:
        self.note(text)

    def _placed(self, name: str) -> str:
        """What a run is shown as: with its machine, where it is made on another one."""
        where = self._where.get(name, "")
        return f"{where}: {name}" if where else name

    def _tried(self, trial: Trial, *, is_best: bool, state: str) -> str:
        said = [f"trial {trial.number}, {trial.name}"]
        if trial.score is not None:
            after = f" after {trial.rungs[-1][0]} of {trial.steps} steps" if trial.state == "paused" else ""
            said.append(f"{self._score(trial.score)}{after}" + (", the best so far" if is_best else ""))
        if trial.failed:
            said.append(f"{trial.state}. {trial.failed}")
        return ": ".join(said) + (f" ({state})" if state else "")

    def _score(self, score: float) -> str:
        return f"{shown_score(score, self._metrics) + 0.0:.4f}"  # -0.0 is 0
