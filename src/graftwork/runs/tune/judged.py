"""The rows that trials are compared by, the same for all: those that validate, or where they are few all that there
are, each predicted by a run that was trained without its fold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from graftwork.data.table import Table
from graftwork.data.values import Collector, Targets, Values
from graftwork.errors import DataError, UsageError
from graftwork.evidence.tune.resampled import Judged as Target
from graftwork.evidence.tune.resampled import Resampled, resampled
from graftwork.recipe import Recipe
from graftwork.runs.ablation.repeats import pool_of
from graftwork.runs.job.folds import FOLDS, folds
from graftwork.runs.job.held_out import distinct, encoded, latest_off, split_off, strata
from graftwork.runs.job.job import Job
from graftwork.tasks.averaging import why_not_averaged
from graftwork.tasks.metrics.registry import given_to
from graftwork.tasks.metrics.registry import score as metric_score
from graftwork.tasks.task import Task

FEW = 100
"""Labelled validation rows below which a choice by them would be luck, so that folds are made."""
Predictions = Mapping[str, Values]
"""By target, what its task keeps of the predictions of rows, in their order (`Task.keep`)."""


@dataclass(frozen=True)
class Judged:
    """job: of which the model is made that is kept in the end; under folds all rows train it, and none validate.

    jobs: of the runs of a trial. One, whose validation rows judge; or one a fold, whose test rows do. places: by job,
    where the rows that it judges stand in `table` (n,). table: the N judged rows. note: which they are, for people.
    parts: under folds, by job, where its training rows and those that it judges stand among all rows, of `job`.
    """

    job: Job
    jobs: tuple[Job, ...]
    places: tuple[np.ndarray, ...]
    table: Table
    note: str
    parts: tuple[tuple[np.ndarray, np.ndarray], ...] = ()

    @property
    def folds(self) -> int:
        """How many there are; 1 is one split."""
        return len(self.jobs)

    @cached_property
    def incomparable(self) -> str:
        """Why the rows are not scored each by itself, so that nothing is said of differences; empty where they are."""
        return next(filter(None, map(_not_by_rows, self.job.tasks.values())), "")

    @cached_property
    def truth(self) -> dict[str, Targets]:
        """By target, the encoded targets of the judged rows and which there are. Only where `incomparable` is empty."""
        return {name: Targets(*encoded(self.table, name, task)) for name, task in self.job.tasks.items()}

    def put_together(self, parts: Sequence[Predictions]) -> dict[str, Values]:
        """What the runs of a trial predict of their rows, one of `jobs` after the other, in the order of `table`."""
        found = {name: Collector(len(self.table)) for name in self.job.tasks}
        for places, part in zip(self.places, parts, strict=True):
            for name, collector in found.items():
                collector.put(places, part[name])
        return {name: collector.values(np.zeros(0, np.float32)) for name, collector in found.items()}

    def score(self, predictions: Predictions) -> float:
        """Of predictions of all judged rows: the metric, of several targets its mean; more is better."""
        return self.score_given({name: task.scored(predictions[name]) for name, task in self.job.tasks.items()})

    def score_given(self, given: Mapping[str, Any]) -> float:
        """The same of what metrics read, such as means of probabilities (`Task.scored`)."""
        values = []
        for name, task in self.job.tasks.items():
            (targets, labelled), metric = self.truth[name], self.job.bound_metrics[name]
            if labelled.any():
                value = metric_score(task, self.job.metrics[name], targets[labelled], given[name][labelled])
                values.append(value if metric.higher_is_better else -value)
        return float(np.mean(values))

    def resampled(self, predictions: Mapping[int, Predictions]) -> Resampled:
        """Trials compared on draws of the judged rows. predictions: of all of them, by the number of the trial."""
        if self.incomparable:
            return resampled((), len(self.table))
        given = {
            number: {name: task.scored(found[name]) for name, task in self.job.tasks.items()}
            for number, found in predictions.items()
        }
        return self.resampled_given(given)

    def resampled_given(self, given: Mapping[int, Mapping[str, Any]]) -> Resampled:
        """The same of what metrics read."""
        if self.incomparable:
            return resampled((), len(self.table))
        targets = [self._target(name, given) for name in self.job.tasks]
        known = [one for one, name in zip(targets, self.job.tasks, strict=True) if self.truth[name].labelled.any()]
        return resampled(known, len(self.table), units=_groups(self.table))

    def _target(self, name: str, given: Mapping[int, Mapping[str, Any]]) -> Target:
        task, metric, (targets, labelled) = self.job.tasks[name], self.job.bound_metrics[name], self.truth[name]
        read, truth = dict[int, Any](), task.truth(targets[labelled])
        for number, found in given.items():
            truth, compared = task.metric_inputs(targets[labelled], found[name][labelled])
            read[number] = given_to(metric, task, compared)
        return Target(metric, truth, read, np.flatnonzero(labelled))


def judged_rows(job: Job, recipe: Recipe, count: int | None = None) -> Judged:
    """Which rows judge the trials of a tune. count: folds, 1 for one split; None makes folds where fewer than `FEW`
    labelled rows validate, and one split elsewhere.

    Where rows are ordered in time, where a task compares rows with each other, and where it learns from episodes, there
    is one split always.
    Raises UsageError for folds that can't be made of these rows, DataError where the rows can't be split at all.
    """
    why = _why_no_folds(job)
    if count is not None and count > 1 and why:
        raise UsageError(f"--folds {count}: {why}. Leave it out, or give --folds 1.")
    validating = 0 if job.valid is None else int(_labelled(job.valid, job.tasks).sum())
    wanted = (FOLDS if validating < FEW and not why else 1) if count is None else count
    if wanted > 1:
        return _in_folds(job, recipe, wanted)
    return _one_split(job if job.valid is not None else _split(job, recipe))


def _one_split(job: Job) -> Judged:
    assert job.valid is not None
    note = f"trials are compared on {len(job.valid):,} validation rows"
    return Judged(job, (job,), (np.arange(len(job.valid)),), job.valid, note)


def _split(job: Job, recipe: Recipe) -> Job:
    """The job with validation rows, where none were held out because rows are few."""
    known = np.flatnonzero(_labelled(job.train, job.tasks))
    table, time = job.train.take(known), job.train.schema.role("time")
    if time is not None:
        _, held = latest_off(table, time.name, job.tasks, recipe)
    else:
        _, held = split_off(table, job.tasks, recipe)
    kept = np.setdiff1d(np.arange(len(job.train)), known[held])
    return replace(job, train=job.train.take(kept), valid=job.train.take(known[held]), drawn_from=None)


def _in_folds(job: Job, recipe: Recipe, count: int) -> Judged:
    whole = pool_of(job).table
    known = np.flatnonzero(_labelled(whole, job.tasks))
    fold = _dealt(whole.take(known), job.tasks, recipe.seed, count)
    kept = known[fold >= 0]
    jobs, places, parts = [], [], []
    for index in range(int(fold.max(initial=-1)) + 1):
        held = known[fold == index]
        train = np.setdiff1d(np.arange(len(whole)), held)
        jobs.append(replace(job, train=whole.take(train), valid=None, test=whole.take(held), drawn_from=None))
        places.append(np.searchsorted(kept, held))
        parts.append((train, held))
    if len(jobs) < 2:
        raise DataError(
            f"{whole.source}: its {len(known):,} labelled rows can't be dealt into folds, by which trials would be "
            "compared: of no class are there two rows with different content, or of different groups. Give validation "
            "rows (--valid FILE), or more rows."
        )
    apart = len(known) - len(kept)
    only = f"; {apart:,} that alone have their class always train" if apart else ""
    note = f"trials are compared on {len(kept):,} rows in {len(jobs)} folds, each row predicted without its fold{only}"
    all_rows = replace(job, train=whole, valid=None, drawn_from=None)
    return Judged(all_rows, tuple(jobs), tuple(places), whole.take(kept), note, tuple(parts))


def _dealt(table: Table, tasks: Mapping[str, Task], seed: int, count: int) -> np.ndarray:
    """The fold of each labelled row (N,); -1 for those of a class that would be lost to training without them. Whole
    groups, and rows with the same content, go together."""
    groups = _groups(table)
    units = distinct(table) if groups is None else groups
    kinds = strata(table, tasks)
    fold = folds(np.zeros(len(table), np.int64) if kinds is None else kinds, seed, count, units)
    if kinds is not None:
        for kind in np.unique(kinds):
            own = kinds == kind
            if len(np.unique(fold[own])) == 1:
                fold[own] = -1
    dealt: np.ndarray = np.where(fold < 0, -1, np.searchsorted(np.unique(fold[fold >= 0]), fold))
    return dealt


def _groups(table: Table) -> np.ndarray | None:
    """A number for each row's group (N,); None where no column has that role."""
    role = table.schema.role("group") or table.schema.role("rollout")
    if role is None or role.name not in table.data.column_names:
        return None
    names = np.array(table.values(role.name), dtype=object).astype(str)
    numbers: np.ndarray = np.unique(names, return_inverse=True)[1]
    return numbers


def _labelled(table: Table, tasks: Mapping[str, Task]) -> np.ndarray:
    """The rows with a target (N,)."""
    found: np.ndarray = np.any([encoded(table, name, task)[1] for name, task in tasks.items()], axis=0)
    return found


def _why_no_folds(job: Job) -> str:
    if job.train.schema.role("time") is not None:
        return "the rows are ordered in time, and folds would predict earlier rows from later ones"
    return next(filter(None, map(_not_by_rows, job.tasks.values())), "")


def _not_by_rows(task: Task) -> str:
    """Why rows are not predicted and scored each by itself."""
    if task.validation_episodes is not None:
        return f"the task {task.name} is scored by episodes of rows"
    if task.couples_rows or task.target == "inputs":
        return f"the task {task.name} compares rows with each other"
    return why_not_averaged(task)
