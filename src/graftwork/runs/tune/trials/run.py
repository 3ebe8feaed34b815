"""Trials of a tune are run here, rung by rung, on the judged rows: scored, measured, kept, and gone on with later."""

from __future__ import annotations

import gc
import math
import shutil
import tempfile
import time
import weakref
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from graftwork.core.clock.course import Course
from graftwork.core.clock.pace import OutOfTime
from graftwork.core.frozen.cache import features_cache
from graftwork.core.rows.examples import prepare
from graftwork.core.scoring import predict_examples
from graftwork.data.store.cache import of_disk
from graftwork.data.store.writing import remove
from graftwork.data.values import Values
from graftwork.errors import CheckpointError, NumericalError
from graftwork.evidence.tune.trials import Trial
from graftwork.recipe import Recipe
from graftwork.runs.budget.own_rows import job_of, on_rows
from graftwork.runs.clock import Clock, Deadline
from graftwork.runs.default import failure_text
from graftwork.runs.job.job import Job
from graftwork.runs.listener import Listener
from graftwork.runs.single.run import Candidate, run_single
from graftwork.runs.tune.judged import Judged
from graftwork.runs.tune.search import Wanted
from graftwork.runs.tune.study.starts import check_starts, lacks_memory, started
from graftwork.runs.tune.trials.files import read_predictions, read_trial, trial_folder, write_trial
from graftwork.runs.tune.trials.heard import UnderName
from graftwork.runs.tune.trials.measures import measures_of
from graftwork.runs.tune.trials.reading import Reading
from graftwork.runs.workspace import Workspace

RUN, WHOLE = "run", "whole"
"""Below the folder of a trial: its run (one by fold: `fold-0`, …), and under folds that of the model on all rows."""
KEPT = 8
"""Of the best trials so many keep their checkpoints."""


@dataclass(frozen=True)
class TrialRunner:
    """judged: the rows that trials are compared on. rungs: of so many planned steps those at which a run is scored, by
    level, the last one included. folder: where trials are kept; None: among the temporary files, for as long as the
    runner is there. listener: hears the steps and the rows of the base, by the names of the trials. clock: that a
    budget is counted by. began: when the tune began, by that clock. afar: on a machine of a cluster, which knows
    nothing of what other trials have read.
    """

    judged: Judged
    rungs: Callable[[int], Mapping[int, int]]
    folder: Path | None = None
    listener: Listener = field(default_factory=Listener)
    clock: Clock = time.monotonic
    began: float = 0.0
    afar: bool = False
    _shared: set[str] = field(default_factory=set)
    _latest: dict[tuple[int, int], Candidate] = field(default_factory=dict)

    def run(self, trial: Trial, recipe: Recipe, until_rung: int, seconds: float | None = None) -> Trial:
        """Go on with a trial until it is scored at a level, or at the lowest one above it that its steps have; a run
        without steps is finished at once. Gives the trial as it is then, which is kept.

        trial: as proposed, or as it was left. recipe: its own, with the techniques listed. seconds: by the clock of the
        budget, until the run should have come to its very end, whatever level is asked for: a new one gets as many
        steps as fit, which its folder remembers, and one that goes on is shortened. None: no limit.

        What a run fails of is said in the trial (`failed`), also that it ended its process again and again, and so is
        that it has no time or memory for its first step (`left out`). Raises KeyboardInterrupt for Ctrl-C, which loses
        what was done since the last checkpoint; DataError where the disk is full.
        """
        if trial.state == "finished" or (trial.rungs and self._next(trial) > until_rung):
            return trial
        ends = None if seconds is None else Deadline.after(seconds, self.clock)
        place = trial_folder(self.place, trial.number)
        try:
            check_starts(place)
            while True:
                # The score of a run in folds is one of predictions, which only a run that pauses has.
                level = self._next(trial) if self.judged.folds > 1 else until_rung
                with started(place):
                    self._latest.clear()
                    why = "" if trial.rungs else lacks_memory(self.judged.jobs[0], recipe)
                    if why:
                        return self.keep(replace(trial, state="left out", failed=why, at=self.now()))
                    if not self.afar:
                        trial = self._reading.in_time(trial, recipe, ends)
                    trial = self._scored(trial, recipe, level, ends)
                if trial.state != "paused" or self._next(trial) > until_rung:
                    return trial
        except OutOfTime as error:
            why = str(error) or "There was no time for its first step."
            return self.keep(replace(trial, state="left out", failed=why, at=self.now()))
        except Exception as error:
            if of_disk(error):
                raise
            failed = replace(trial, state="failed", failed=failure_text(error), at=self.now())
        gc.collect()  # what ran out of memory is freed before the next one
        return self.keep(failed)

    def run_each(self, wanted: Iterator[Wanted]) -> Generator[Trial, None, None]:
        """One after the other, in order."""
        for one in wanted:
            yield self.run(one.trial, one.recipe, one.level, one.seconds)

    def known(self, number: int) -> Trial | None:
        """A trial as it was left, by this process or an earlier one; None where it was not run, or its folder is
        damaged."""
        found = read_trial(self.place, number)
        return None if found is None or (found.rungs and self._kept(found) is None) else found

    def predictions(self, number: int) -> Mapping[str, Values]:
        """By target, what a trial predicts of the judged rows, in their order, as its task keeps it (`Task.keep`).

        Raises CheckpointError where that is not there, or damaged.
        """
        trial = read_trial(self.place, number)
        found = None if trial is None else self._kept(trial)
        if found is None:
            raise CheckpointError(f"Trial {number} has no predictions in {trial_folder(self.place, number)}.")
        return found

    def keep(self, trial: Trial, predictions: Mapping[str, Values] | None = None) -> Trial:
        """Keep a trial as it is; predictions: of the judged rows, where they are new."""
        known = predictions
        if known is None and trial.rungs:
            known = read_predictions(self.place, trial)
        write_trial(self.place, trial, known)
        return trial

    def candidate(self, trial: Trial, recipe: Recipe) -> Candidate:
        """The trial with its network in memory, at its last rung: from its checkpoint, or run again with the same bits.
        Under folds it is trained on all rows, as far; score and predictions are those of the folds.

        A model of it is `make_model(replace(judged.job, valid=judged.table), candidate)`.
        """
        held = self._latest.get(_rung(trial))
        if held is not None:
            return held
        level = self._level(trial)
        if self.judged.folds == 1:
            return self._run(self.judged.job, trial, recipe, level, RUN)
        rows = len(self.judged.job.train) / len(self.judged.jobs[0].train)
        if trial.steps and recipe.training.steps is None:  # as many passes as each fold had
            recipe = replace(recipe, training=replace(recipe.training, steps=round(trial.steps * rows)))
        judge = self.judged.job.test or self.judged.table  # its scores are known: those of the folds
        done = self._run(replace(self.judged.job, test=judge), trial, recipe, level, WHOLE)
        return replace(done, score=trial.score, predictions=dict(self.predictions(trial.number)))

    def trains_anew(self, trial: Trial) -> bool:
        """Whether `candidate` trains it once more: its checkpoint was deleted, or it was trained on folds alone."""
        run = trial_folder(self.place, trial.number) / (RUN if self.judged.folds == 1 else WHOLE) / RUN
        return trial.steps > 0 and _rung(trial) not in self._latest and not run.exists()

    def tidy(self, trials: Sequence[Trial], worth: Sequence[Trial], most: int = KEPT) -> None:
        """Delete the checkpoints of all trials but the best of those that are worth keeping, and the best of what `fit`
        would try, which may be kept though others score better; what else is known of them stays."""
        scored = [one for one in worth if one.steps and one.score is not None and one.state != "failed"]
        ranked = sorted(scored, key=lambda one: (-(one.score or 0.0), one.number))
        best = {one.number for one in (*ranked[:most], *[one for one in ranked if one.origin == "default"][:1])}
        for one in trials:
            if one.number not in best:
                for run in trial_folder(self.place, one.number).glob(f"*/{RUN}"):
                    remove(run)

    # --- one rung -----------------------------------------------------------------------------------------------------
    def _scored(self, trial: Trial, recipe: Recipe, level: int, ends: Deadline | None) -> Trial:
        """The trial scored at a level, or the lowest above it."""
        began, parts, steps, paused = time.process_time(), list[Mapping[str, Values]](), 0, False
        self._reading.share(trial, recipe, ends)
        for at, job in enumerate(self.judged.jobs):
            own = replace(recipe, training=replace(recipe.training, steps=steps)) if steps else recipe
            name = RUN if self.judged.folds == 1 else f"fold-{at}"
            decided = ends is None or (at > 0 and not trial.rungs)  # all folds take the steps of the first one
            until = None if ends is None or decided else ends.part(1 / (self.judged.folds - at))
            done = self._run(job, trial, own, level, name, until)
            steps, paused = done.plan.total_steps, paused or done.fitted.paused
            parts.append(_predictions(job, recipe, done))
        levels = self.rungs(steps)
        step = min((at for one, at in levels.items() if one >= level), default=steps) if paused else steps
        passed = _passed(done, sorted(levels.values())) if self.judged.folds == 1 else {}
        predictions = parts[0] if self.judged.folds == 1 else self.judged.put_together(parts)
        score = done.score if self.judged.folds == 1 else self.judged.score(predictions)
        if score is None or not math.isfinite(score):
            raise NumericalError("Its score is not a finite number.")
        if not trial.size:
            latency, size, parameters = measures_of(job, recipe, done.network, self.judged.table)
            trial = replace(trial, latency=latency, size=size, parameters=parameters)
        trial = replace(
            trial,
            state="paused" if paused else "finished",
            rungs=tuple(sorted({**dict(trial.rungs), **passed, step: float(score)}.items())),
            steps=steps,
            seconds=trial.seconds + time.process_time() - began,
            at=self.now(),
        )
        if self.judged.folds == 1:
            self._latest[_rung(trial)] = done
        return self.keep(trial, predictions)

    def _run(
        self, job: Job, trial: Trial, recipe: Recipe, level: int, name: str, deadline: Deadline | None = None
    ) -> Candidate:
        """One run of a trial up to a level. A checkpoint that is damaged, or of another run, is thrown away."""
        place = trial_folder(self.place, trial.number) / name
        if trial.rows is not None:
            recipe = on_rows(job, recipe, trial.rows)
            job = job_of(job, recipe)
        self.listener.trying(trial, name)
        for last in (False, True):
            try:
                done = run_single(
                    job,
                    recipe,
                    name=RUN,
                    workspace=Workspace(place, resume=True, sparing=True),
                    listener=UnderName(self.listener, trial.name, RUN),
                    deadline=deadline,
                    limit=None if trial.rungs else deadline,
                    until=level,
                    scored_at=self.rungs,
                )
            except CheckpointError:
                if last:
                    raise
                remove(place)
            else:
                break
        if done.fitted.interrupted:
            raise KeyboardInterrupt
        return replace(done, name=trial.name)

    def _next(self, trial: Trial) -> int:
        """The level behind those that the trial was scored at."""
        return self._level(trial) + 1 if trial.rungs else 0

    def _level(self, trial: Trial) -> int:
        """The level that a trial with a score is at; that of its end where it has no steps."""
        reached = trial.rungs[-1][0]
        levels = self.rungs(trial.steps)
        return max((level for level, step in levels.items() if step <= reached), default=max(levels, default=0))

    def _kept(self, trial: Trial) -> dict[str, Values] | None:
        """The predictions of a trial, if they are of these very rows."""
        found, tasks, rows = read_predictions(self.place, trial), self.judged.job.tasks, len(self.judged.table)
        if found is None or found.keys() != tasks.keys() or any(len(values) != rows for values in found.values()):
            return None
        shapes = {} if self.judged.incomparable else {name: (rows, task.outputs) for name, task in tasks.items()}
        return found if all(found[name].shape == shape for name, shape in shapes.items()) else None

    def now(self) -> float:
        """Seconds since the tune began."""
        return self.clock() - self.began

    @cached_property
    def _reading(self) -> Reading:
        return Reading(self.judged, self.place, self.listener, self._shared)

    @cached_property
    def place(self) -> Path:
        """Where trials are kept."""
        if self.folder is not None:
            return self.folder
        made = tempfile.mkdtemp(prefix="graftwork-")
        weakref.finalize(self, shutil.rmtree, made, ignore_errors=True)
        return Path(made)


def _predictions(job: Job, recipe: Recipe, done: Candidate) -> Mapping[str, Values]:
    """What a run predicts of the rows that it judges: of its validation rows, or of its fold."""
    if done.predictions is not None:
        return done.predictions
    assert job.test is not None
    held = prepare(job.test, done.network, job.tasks, recipe.text)
    frozen = done.plan.cache == done.plan.depths  # else features are of this network alone
    cached = features_cache(done.network, held, recipe.listed) if frozen else {}
    return predict_examples(done.network, held, recipe.listed, cached, tasks=job.tasks)


def _passed(done: Candidate, steps: Sequence[int]) -> dict[int, float]:
    """What a run scored at those of the planned steps that it has gone beyond: as if it had paused there."""
    course, found = Course(done.plan.total_steps, done.fitted.cuts), dict[int, float]()
    for step in steps:
        made = course.step_at(step)
        scores = [point.score for point in done.fitted.history if point.step <= made and point.score is not None]
        if made < done.fitted.steps and scores:
            found[step] = scores[-1] if done.plan.keeps_last else max(scores)
    return found


def _rung(trial: Trial) -> tuple[int, int]:
    """Number, and step of the last rung."""
    return trial.number, trial.rungs[-1][0]
