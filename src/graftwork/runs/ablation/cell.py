"""One cell: an arm trained on a repeat, scored on the rows that were held out, measured, and kept."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from graftwork.core.frozen.cache import features_cache
from graftwork.core.judging.few_shot import episode_scores
from graftwork.core.rows.examples import Examples, prepare
from graftwork.core.scoring import compared_targets, predict_examples, score
from graftwork.data.values import Values
from graftwork.evidence.ablation.cells import Cell
from graftwork.networks.network import Network
from graftwork.recipe import Recipe
from graftwork.runs.ablation.arms import Arm
from graftwork.runs.ablation.keys import Keys
from graftwork.runs.ablation.peak import watched
from graftwork.runs.ablation.repeats import Repeat
from graftwork.runs.ablation.shared import Shared
from graftwork.runs.default import failure_text
from graftwork.runs.job.job import Job
from graftwork.runs.listener import Listener
from graftwork.runs.single.run import run_single
from graftwork.runs.stored import Finished, keep, recall
from graftwork.runs.workspace import Workspace

TIMED_ROWS = 64
"""Rows that are predicted afresh, to say what a prediction takes."""
FEW_ROWS = 64
"""Rows of the run that only warms up."""


@dataclass(frozen=True)
class Wanted:
    """A run that is to be made: of an arm, whose name it has, on a repeat."""

    name: str
    arm: Arm
    repeat: Repeat


@dataclass(frozen=True)
class Made:
    """What a run came to, and what it predicted of the held-out rows; or why it failed."""

    finished: Finished | None = None
    predicted: Mapping[str, Values] = field(default_factory=dict)
    failed: str = ""


class CellRunner(Protocol):
    """What makes cells. Those of `run_each` need nothing of each other, and are given as they are done, with the
    seconds that each took. slots: how many can be made at the same time."""

    @property
    def slots(self) -> int: ...
    def warm(self, arm: Arm, repeat: Repeat, /) -> None: ...
    def found(self, name: str, arm: Arm, repeat: Repeat, /) -> Cell | None: ...
    def run_each(self, wanted: Iterator[Wanted], /) -> Generator[tuple[Cell, float], None, None]: ...


@dataclass(frozen=True)
class Runner:
    """Makes cells. frozen: by arm, the inputs whose base stays as it is. listener: hears the rows of frozen bases."""

    listener: Listener
    frozen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    keys: Keys = field(default_factory=Keys)
    shared: Shared = field(default_factory=Shared)

    @property
    def slots(self) -> int:
        """One after the other."""
        return 1

    def warm(self, arm: Arm, repeat: Repeat) -> None:
        """A run of a few rows and one step, so that what is loaded once a process is not measured as a run's own."""
        recipe = repeat.recipe(arm)
        small = replace(recipe, training=replace(recipe.training, steps=1, epochs=None, cuts=()))
        job = repeat.job(arm).sample(FEW_ROWS, repeat.seed, FEW_ROWS)
        with suppress(Exception):  # what fails here fails, and is told, where it counts
            done = run_single(job, small, name="warm", workspace=Workspace(), listener=Listener())
            if done.fitted.interrupted:
                raise KeyboardInterrupt

    def found(self, name: str, arm: Arm, repeat: Repeat) -> Cell | None:
        """The cell, where its run was finished before."""
        kept = recall(self.keys.of(arm, repeat))
        return None if kept is None else _cell(name, repeat, kept, reused=True)

    def run_each(self, wanted: Iterator[Wanted]) -> Generator[tuple[Cell, float], None, None]:
        """Cells of runs that are made now, one after the other, each with the seconds that it took by the clock."""
        for one in wanted:
            began = time.monotonic()
            cell = self.run(one.name, one.arm, one.repeat)
            yield cell, time.monotonic() - began

    def run(self, name: str, arm: Arm, repeat: Repeat) -> Cell:
        """The cell of a run that is made now; whatever it fails of is said in the cell, and ends nothing.

        Raises KeyboardInterrupt for Ctrl-C; DataError where a finished run can't be kept.
        """
        return self.kept(Wanted(name, arm, repeat), self.made(name, arm, repeat))

    def made(self, name: str, arm: Arm, repeat: Repeat) -> Made:
        """What a run comes to, of which nothing is kept yet. Raises KeyboardInterrupt for Ctrl-C."""
        try:
            finished, predicted = self._trained(name, arm, repeat)
        except Exception as error:
            return Made(failed=failure_text(error))
        return Made(finished, predicted)

    def kept(self, one: Wanted, made: Made) -> Cell:
        """The cell of a run, which is kept if it was finished. Raises DataError where it can't be."""
        name, arm, repeat = one.name, one.arm, one.repeat
        if made.finished is None:
            return Cell(name, repeat.number, None, len(repeat.held), repeat.trained_rows, failed=made.failed)
        about = {"recipe": repeat.recipe(arm).to_dict(), "arm": name, "repeat": repeat.number}
        keep(self.keys.of(arm, repeat), made.finished, made.predicted, about)
        return _cell(name, repeat, made.finished, reused=False)

    def _trained(self, name: str, arm: Arm, repeat: Repeat) -> tuple[Finished, Mapping[str, Values]]:
        job, recipe = repeat.job(arm), repeat.recipe(arm)
        self.shared.put(arm, repeat, job, self.frozen.get(name, ()), self.listener)
        peak, began = watched(), time.process_time()
        done = run_single(job, recipe, name=name, workspace=Workspace(), listener=Listener())
        if done.fitted.interrupted:
            raise KeyboardInterrupt
        seconds = time.process_time() - began
        score, predicted = _scored(job, recipe, done.network)
        finished = Finished(
            score=score,
            rows=len(repeat.held),
            trained_rows=repeat.trained_rows,
            seconds=seconds,
            predict_seconds=_predict_seconds(job, recipe, done.network),
            memory=peak(),
            parameters=done.plan.trained,
        )
        return finished, predicted


def _cell(name: str, repeat: Repeat, kept: Finished, *, reused: bool) -> Cell:
    return Cell(
        arm=name,
        repeat=repeat.number,
        score=kept.score,
        rows=len(repeat.held),
        trained_rows=repeat.trained_rows,
        seconds=kept.seconds,
        predict_seconds=kept.predict_seconds,
        memory=kept.memory,
        parameters=kept.parameters,
        reused=reused,
    )


def _scored(job: Job, recipe: Recipe, network: Network) -> tuple[float, Mapping[str, Values]]:
    """The score on the held-out rows, as a run scores its validation rows; and what was predicted of them."""
    assert job.test is not None
    held = prepare(job.test, network, job.tasks, recipe.text)
    cached = features_cache(network, held, recipe.listed)
    predicted = predict_examples(network, held, recipe.listed, cached, compared_targets(job.tasks), tasks=job.tasks)
    value = score(predicted, held, job.tasks, job.metrics, _by_episodes(job, recipe, network, held))
    if not np.isfinite(value):
        raise ArithmeticError("The score on the held-out rows is not a finite number.")
    return float(value), predicted


def _by_episodes(job: Job, recipe: Recipe, network: Network, held: Examples) -> dict[str, float]:
    """Of few-shot tasks, the mean over episodes of the held-out rows."""
    shapes = {name: task.validation_episodes for name, task in job.tasks.items()}
    return {
        name: float(episode_scores(network, held, held.targets[name], name, shape, recipe.listed).mean())
        for name, shape in shapes.items()
        if shape is not None
    }


def _predict_seconds(job: Job, recipe: Recipe, network: Network) -> float:
    """CPU seconds that predicting the held-out rows takes, the base included, by a part of them."""
    assert job.test is not None
    rows = min(TIMED_ROWS, len(job.test))
    part, began = job.test.take(np.arange(rows)), time.process_time()
    examples = prepare(part, network, {}, recipe.text, keep_on_disk=False)
    predict_examples(network, examples, recipe.listed, tasks=job.tasks)
    return (time.process_time() - began) / rows * len(job.test)
