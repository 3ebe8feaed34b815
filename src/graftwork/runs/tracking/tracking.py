"""A listener that hands everything on, and tells a writer what runs do step by step."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from graftwork.core.fit import Progress
from graftwork.core.scoring import shown_score
from graftwork.evidence.ablation.outcome import Outcome
from graftwork.evidence.tune.trials import Trial
from graftwork.runs.listener import Listener, Relay
from graftwork.runs.tracking.writer import End, Writer, flat
from graftwork.shown import shortened_text
from graftwork.tasks.metrics.metric import Metric


class Tracking(Relay):
    """where: for people, to say where it writes. What fails there is said once, and then nothing is written any more:
    no run ends by it."""

    def __init__(self, listener: Listener, opened: Callable[[], Writer], where: str) -> None:
        super().__init__(listener)
        self._opened, self._where = opened, where
        self._writer: Writer | None = None
        self._failed = False
        self._notes: list[str] = []
        self._recipes: dict[str, Mapping[str, Any]] = {}
        self._plans: dict[str, str] = {}
        self._metrics: Mapping[str, Metric] = {}
        self._steps: dict[str, int] = {}  # by run that has begun, the last one told
        self._summaries: set[str] = set()  # of the call as a whole: no run ends them
        self._trying: dict[str, str] = {}  # by what a trial is called, the run that its steps belong to
        self._best: float | None = None

    def note(self, text: str) -> None:
        self._notes.append(text)
        super().note(text)

    def scored_by(self, metrics: Mapping[str, Metric]) -> None:
        self._metrics = metrics
        super().scored_by(metrics)

    def began(self, name: str, recipe: Mapping[str, Any]) -> None:
        self._recipes[name] = recipe
        super().began(name, recipe)

    def planned(self, name: str, plan: str) -> None:
        self._plans[name] = plan
        super().planned(name, plan)

    def stepped(self, name: str, progress: Progress) -> None:
        values = {"train/loss": progress.loss}
        if progress.validated and progress.score is not None and progress.best is not None:
            values |= self._scored(progress.score, "validation") | self._scored(progress.best, "validation/best")
        if progress.validated and progress.watched is not None:
            values["validation/probe"] = abs(progress.watched)
        self._tell(self._trying.get(name, name), progress.step, values)
        super().stepped(name, progress)

    def finished(self, name: str, score: float | None, seconds: float) -> None:
        values = {"seconds": seconds} | ({} if score is None else self._scored(score, "kept"))
        self._tell(name, self._steps.get(name, 0), values)
        self._write(lambda writer: writer.end(name, "finished"))
        self._steps.pop(name, None)
        super().finished(name, score, seconds)

    def tabled(self, found: Callable[[], Outcome], state: str) -> None:
        def tell(writer: Writer) -> None:
            outcome = found()
            runs = len(outcome.cells)
            self._summaries.add("ablation")
            self._begin(writer, "ablation", runs)
            values = {f"brings/{one.name}": one.value for one in outcome.findings if one.value is not None}
            writer.scalars("ablation", runs, values)

        self._write(tell)
        super().tabled(found, state)

    def resumed(self, trials: Sequence[Trial]) -> None:
        self._best = max((one.score for one in trials if one.score is not None), default=None)
        super().resumed(trials)

    def trying(self, trial: Trial, part: str) -> None:
        run = _run_of(trial) if part == "run" else f"{_run_of(trial)}/{part}"
        self._trying[trial.name], self._recipes[run] = run, trial.recipe
        super().trying(trial, part)

    def tried(self, trial: Trial, state: str) -> None:
        if trial.score is not None:
            self._best = trial.score if self._best is None else max(self._best, trial.score)
        self._write(lambda writer: self._tell_trial(writer, trial))
        super().tried(trial, state)

    def close(self, how: End, files: Sequence[Path] = ()) -> None:
        """The call is over. What began and did not end in a call that went well was left out: it has failed."""

        def tell(writer: Writer) -> None:
            left_out = [run for run in self._steps if run not in self._summaries] if how == "finished" else []
            for run in left_out:
                writer.end(run, "failed")
            writer.close(how, "\n".join(self._notes), files)

        if self._writer is not None:
            self._write(tell)
        self._failed = True

    def _tell(self, name: str, step: int, values: Mapping[str, float]) -> None:
        def tell(writer: Writer) -> None:
            self._begin(writer, name, step)
            writer.scalars(name, step, values)

        self._write(tell)

    def _begin(self, writer: Writer, name: str, step: int) -> None:
        if name not in self._steps:
            writer.begin(name, step, flat(self._recipes.get(name, {})))
            if name in self._plans:
                writer.say(name, step, self._plans[name])
        self._steps[name] = step

    def _tell_trial(self, writer: Writer, trial: Trial) -> None:
        """The end of the trial's run, and a point of the search as a whole, over the seconds it took."""
        run, (step, score) = _run_of(trial), trial.rungs[-1] if trial.rungs else (0, None)
        how: End = "failed" if trial.state in ("failed", "left out") else "finished"
        self._recipes[run] = trial.recipe
        self._begin(writer, run, step)
        writer.say(run, step, f"{trial.name} ({trial.origin}): {trial.state}. {trial.failed}".strip())
        costs = {"seconds": trial.seconds, "latency": trial.latency, "bytes": trial.size}
        measured = {f"cost/{name}": float(value) for name, value in costs.items() if value}
        writer.scalars(run, step, measured | ({} if score is None else self._scored(score, "rung")))
        for one in [one for one in self._steps if one == run or one.startswith(f"{run}/")]:
            writer.end(one, how)
            del self._steps[one]
        self._trying.pop(trial.name, None)
        if score is not None and self._best is not None:
            seconds = round(trial.at)
            self._summaries.add("tune")
            self._begin(writer, "tune", seconds + 1)  # what an earlier call told of this very second stays
            writer.scalars("tune", seconds, self._scored(score, "trial") | self._scored(self._best, "best"))

    def _scored(self, score: float, tag: str) -> dict[str, float]:
        """The score by a name that has that of the metric in it, where there is one."""
        metrics = list(self._metrics.values())
        name = metrics[0].name if len(metrics) == 1 else "score"
        return {f"{tag}/{name}": shown_score(score, self._metrics)}

    def _write(self, call: Callable[[Writer], None]) -> None:
        """Tell the writer, which is opened with the first thing that there is to tell."""
        if self._failed:
            return
        try:
            if self._writer is None:
                self._writer = self._opened()
            call(self._writer)
        except Exception as error:  # a disk, a server, a package of another version: none of it ends a run
            self._failed = True
            if self._writer is not None:
                self._writer.drop()
            said = shortened_text(_without_passwords(" ".join(str(error).split())) or type(error).__name__, 300)
            self.note(f"tracking to {self._where} has ended, the runs go on without it: {said}")


def _without_passwords(text: str) -> str:
    """What a client says of an address that it could not reach, less the name and password in it."""
    return re.sub(r"(?<=://)[^\s/]*@", "", text)


def _run_of(trial: Trial) -> str:
    kind = "combined-" if trial.origin == "combined" else ""  # a later call gives its number to another one
    return f"trials/{kind}{trial.number:04d}"
