"""The best trial so far as a model that is whole: made anew whenever another one is better, so that a tune that is
stopped at any moment leaves it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from graftwork.data.store.cache import of_disk
from graftwork.evidence.tune.choice import keeps
from graftwork.evidence.tune.trials import Limits, Trial
from graftwork.model import Model
from graftwork.recipe import Recipe
from graftwork.runs.finished.finishing import Finishing
from graftwork.runs.job.job import Job
from graftwork.runs.single.model_from_run import make_model
from graftwork.runs.single.run import Candidate
from graftwork.runs.tune.folder import without_reports
from graftwork.runs.tune.judged import Judged
from graftwork.runs.tune.trials.run import TrialRunner


def calibrating(judged: Judged) -> Job:
    """The job whose validation rows are the judged ones: what probabilities are calibrated on."""
    return replace(judged.job, valid=judged.table)


@dataclass
class Best:
    """trial, candidate, model: those of the best so far; None before there is one. bar: the score that another has to
    be above; in a tune that goes on, the best of the earlier calls, whose model is in the folder."""

    judged: Judged
    runner: TrialRunner
    finishing: Finishing
    limits: Limits
    trial: Trial | None = None
    candidate: Candidate | None = None
    model: Model | None = None
    bar: float | None = None

    def consider(self, trial: Trial, recipe: Recipe) -> None:
        """Keep it if it is trained to its end, keeps the limits and scores above all before it."""
        if trial.state != "finished" or trial.score is None or not keeps(trial, self.limits):
            return
        if self.bar is None or trial.score > self.bar:
            self.keep(trial, recipe)
            self.bar = trial.score

    def keep(self, trial: Trial, recipe: Recipe) -> Model:
        """The model of a trial, written."""
        if self.model is not None and self.trial is not None and self.trial.number == trial.number:
            return self.model
        candidate = self.runner.candidate(trial, recipe)
        return self.replace(trial, make_model(calibrating(self.judged), candidate), candidate)

    def replace(self, trial: Trial, model: Model, candidate: Candidate) -> Model:
        """A model in place of the one that was there, without the reports of that one."""
        if self.finishing.folder is not None:
            without_reports(self.finishing.folder)
        self.trial = None  # until it is written nobody knows which one is in the folder
        self.model = self.finishing.written(model, candidate)
        self.trial, self.candidate = trial, candidate
        return self.model


@dataclass
class Considering:
    """Hears of trials, and has the best of them made a model. best: where. failed: is told of what can't be made one.
    together: trials are run at the same time elsewhere, while a model is made here: of those of a batch only the best
    is made one, and not each that is better than those before it. The first of all is made one at once."""

    best: Best
    failed: Callable[[Trial, Exception], None]
    together: bool = False
    _waiting: list[tuple[Trial, Recipe]] = field(default_factory=list)

    def ran(self, trial: Trial, recipe: Recipe) -> None:
        """A trial was run."""
        self._waiting.append((trial, recipe))
        if not self.together or self.best.model is None:
            self.rested()

    def rested(self) -> None:
        """All trials that could be run at the same time were run."""
        scored = [one for one in self._waiting if one[0].score is not None and keeps(one[0], self.best.limits)]
        self._waiting.clear()
        for trial, recipe in sorted(scored, key=lambda one: (-(one[0].score or 0.0), one[0].number)):
            try:
                self.best.consider(trial, recipe)
            except Exception as error:  # as where the memory is too small for it on all rows
                if of_disk(error):
                    raise
                self.failed(trial, error)


def best_score(known: Iterable[Trial], limits: Limits) -> float | None:
    """The best score of trials that could be kept; None without any."""
    scores = [one.score for one in known if one.state == "finished" and one.score is not None and keeps(one, limits)]
    return max(scores, default=None)
