"""The end of a tune: its trials are compared, one is chosen, and its model is scored, reported and handed back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from numpy.linalg import LinAlgError

from graftwork.core.rows.examples import prepare
from graftwork.errors import GraftworkError, RefusedError
from graftwork.evidence.ablation.scale import scale_of
from graftwork.evidence.evaluation import Evaluation
from graftwork.evidence.tune.choice import candidates, keeps
from graftwork.evidence.tune.outcome import About, Outcome, outcome
from graftwork.evidence.tune.trials import Trial
from graftwork.model import Model
from graftwork.runs.budget.own_rows import job_of, on_rows
from graftwork.runs.candidates.planned import is_probe
from graftwork.runs.clock import Deadline
from graftwork.runs.crossval import OF_RUNS
from graftwork.runs.default import FAILURES, failure_text
from graftwork.runs.finished.results import Given, Part
from graftwork.runs.tune.asked import Asking
from graftwork.runs.tune.choosing.best import Best
from graftwork.runs.tune.choosing.combined import Combined, Combiner
from graftwork.runs.tune.choosing.combining import calibrated_predictions
from graftwork.runs.tune.choosing.tuned import Tuned
from graftwork.runs.tune.preparing import Prepared
from graftwork.runs.tune.search import Search
from graftwork.runs.tune.transfer import transfer_score
from graftwork.runs.tune.trials.run import TrialRunner

MOST_ROWS = 20_000
"""Training rows up to which LogME of each base is computed, which needs a decomposition of their features."""
LEAST = 5.0
"""Seconds that must be left for it."""
NO_TIME = "There was no time to train it once more."


@dataclass(frozen=True)
class Choosing:
    """ready, search, runner, best: of the search that is over. ends: when the call must be over. interrupted: by
    Ctrl-C. command: as it was given."""

    ready: Prepared
    search: Search
    runner: TrialRunner
    best: Best
    asking: Asking
    ends: Deadline | None
    interrupted: bool
    command: str

    def tuned(self, seconds: float) -> Tuned:
        """seconds: that the tune has taken, all its calls together.

        Raises UsageError where no trial has a score, or none keeps the limits."""
        trials = [one for _, one in sorted(self.search.trials.items())]
        combined = self._combined(trials)
        found = self._compared(trials, combined, seconds)
        while why := self._not_made(found.kept, combined, trials):
            self.best.finishing.listener.note(f"{found.kept.name} is not kept: {why}")
            if found.kept.members:
                combined = []
            else:
                failed = replace(found.kept, state="failed", failed=why)
                trials = [failed if one.number == failed.number else one for one in trials]
            found = self._compared(trials, combined, seconds)
        assert self.best.model is not None
        model = replace(self.best.model, interrupted=self.interrupted)
        candidate, made = self.best.candidate, {one.trial.number: one for one in combined}
        assert candidate is not None
        given = self._given(model, found.kept, made.get(found.kept.number))
        finishing = self.best.finishing
        if found.kept.members:  # no recipe makes a combination
            finishing = replace(finishing, command=None)
        if found.kept.rows is not None:  # more time would use more rows of another base, and not of this one
            finishing = replace(finishing, call=finishing.call._replace(for_all=None))
        model = finishing.reported(model, [candidate], candidate, given=given)
        return Tuned(model, replace(found, about=replace(found.about, tested=_tested(model))))

    def _combined(self, trials: Sequence[Trial]) -> list[Combined]:
        """Ensembles and soups, where there is time for them."""
        left = None if self.ends is None else self.ends.left() / 2
        if self.interrupted or (left is not None and left <= 0):
            return []
        self.best.finishing.listener.doing("combining the best trials")
        combiner = Combiner(self.ready.judged, self.runner, self.search.recipes, self.asking.limits)
        try:
            combined = combiner.combined(trials, left, self.runner.clock)
        except KeyboardInterrupt:
            return []
        except (*FAILURES, RefusedError) as error:
            self.best.finishing.listener.note(f"no ensemble and no soup: {failure_text(error)}")
            return []
        for one in combined:
            self.best.finishing.listener.tried(one.trial, "")
        return combined

    def _not_made(self, kept: Trial, combined: Sequence[Combined], trials: Sequence[Trial]) -> str:
        """Why no model could be made of a trial, or of a combination, whose members are in memory together; "" where
        `best` has it."""
        if self._too_late(kept, trials):
            return NO_TIME
        try:
            if kept.members:
                self.best.replace(kept, *next(one for one in combined if one.trial.number == kept.number).made())
            else:
                self.best.keep(kept, self.search.recipes[kept.number])
        except (*FAILURES, RefusedError) as error:
            return failure_text(error)
        return ""

    def _too_late(self, kept: Trial, trials: Sequence[Trial]) -> bool:
        """Whether it has to be trained once more, there is no time for that (or Ctrl-C was pressed), and another one is
        there that may be kept."""
        takes = kept.seconds / self.ready.judged.folds
        late = self.interrupted or (self.ends is not None and self.ends.left() < takes)
        made = self.best.trial is not None and self.best.trial.number == kept.number
        if not late or made or kept.members or not self.runner.trains_anew(kept):
            return False
        limits = self.asking.limits
        there = [one for one in candidates(trials, limits) if keeps(one, limits)]
        return not all(self.runner.trains_anew(one) for one in there)

    def _compared(self, trials: Sequence[Trial], combined: Sequence[Combined], seconds: float) -> Outcome:
        """What is known of the trials that may be compared."""
        judged = self.ready.judged
        given = {one.number: self._scored(one) for one in candidates(trials, self.asking.limits)}
        given |= {one.trial.number: dict(one.given) for one in combined}
        resampled = judged.resampled_given(given) if given else None
        if not judged.incomparable:
            scores = {number: judged.score_given(found) for number, found in given.items()}
            trials = [with_score(one, scores[one.number]) if one.number in scores else one for one in trials]
        every, scale = [*trials, *(one.trial for one in combined)], scale_of(judged.job.bound_metrics)
        return outcome(every, resampled, scale, self._about(trials, seconds), why=judged.incomparable)

    def _scored(self, trial: Trial) -> dict[str, Any]:
        """By target, what metrics read of a trial's predictions of the judged rows; calibrated on them as the members
        of an ensemble are, which else had an advantage by that."""
        judged, predictions = self.ready.judged, self.runner.predictions(trial.number)
        if judged.incomparable:
            return {name: task.scored(predictions[name]) for name, task in judged.job.tasks.items()}
        return dict(calibrated_predictions(judged.job, predictions, judged.truth))

    def _about(self, trials: Sequence[Trial], seconds: float) -> About:
        ready, search = self.ready, self.search
        told = [(one, search.params.get(one.number, {})) for one in trials if one.origin != "combined"]
        folder = self.best.finishing.folder
        return About(
            title=f"Tune: {', '.join(ready.job.tasks)} of {ready.job.train.source}",
            target=", ".join(ready.job.tasks),
            rows=len(ready.judged.table),
            folds=ready.judged.folds,
            limits=self.asking.limits,
            objectives=("score", "latency", "size") if self.asking.pareto else ("score",),
            transfer=self._transfer,
            importance=search.study.importance(told, ready.space.dimensions),
            budget=self.asking.seconds,
            seconds=seconds,
            refused=search.study.refused,
            interrupted=self.interrupted,
            folder=str(folder or ""),
            command=self.command,
            notes=tuple(self.best.finishing.listener.notes),
        )

    @cached_property
    def _transfer(self) -> dict[str, float]:
        """LogME of each base that a probe was solved on, whose features are in the cache. Worked out once, though
        what is known is told again where a combination could not be made."""
        found = dict[str, float]()
        if len(self.ready.job.train) > MOST_ROWS:
            return found
        for number, planned in enumerate(self.search.first):
            trial = self.search.trials.get(number)
            if trial is None or trial.state != "finished" or trial.base in found or not is_probe(planned.recipe):
                continue
            if self.ends is not None and self.ends.left() < LEAST:
                break
            try:
                read = on_rows(self.ready.job, planned.recipe, trial.rows)
                score = transfer_score(job_of(self.ready.job, read), read)
            except (*FAILURES, LinAlgError, GraftworkError):  # it says more of the bases, and chooses nothing
                continue
            if score is not None:
                found[trial.base] = score
        return found

    def _given(self, model: Model, kept: Trial, made: Combined | None) -> Given | None:
        """Under folds, what the runs of the kept trial predicted of the rows that they had not seen, where there is no
        test table; else what a fit has. made: of a combined one."""
        judged = self.ready.judged
        if judged.folds == 1 or judged.job.test is not None:
            return None
        values = dict(self._scored(kept) if made is None else made.given)
        examples = prepare(judged.table, model.lead.network, judged.job.tasks, model.lead.recipe.text)
        return {OF_RUNS: Part(judged.table, examples, {}, values)}


def with_score(trial: Trial, score: float) -> Trial:
    """A trial with another score at its last rung, such as that of its calibrated predictions."""
    return replace(trial, rungs=(*trial.rungs[:-1], (trial.rungs[-1][0], score)))


def _tested(model: Model) -> str:
    """The score on the test table, in words; empty without one."""
    report = model.report
    if report is None:
        return ""
    told = []
    for result in report.results:
        found: Mapping[str, Evaluation] = result.evaluations
        if "test" in found and result.primary in found["test"].scores:
            score = found["test"].scores[result.primary]
            told.append(f"{score.display} {score.text}" + (f" of {result.target}" if report.more else ""))
    return ", ".join(told)
