"""The first pass of the frozen base, as far as its time reaches; what is read by then are the rows that are used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from graftwork.core.frozen.blocks import timed_pass
from graftwork.core.frozen.cache import keep_features
from graftwork.recipe import Recipe
from graftwork.runs.budget.own_rows import READING, fewest, rows_in_time, with_train
from graftwork.runs.clock import Deadline
from graftwork.runs.job.job import Job
from graftwork.runs.listener import Listener
from graftwork.runs.single.run import make_ready

FASTER = 3.0
"""So many times as fast as in a first look a base reads at most."""


def first_pass(
    job: Job,
    recipe: Recipe,
    most: int,
    deadline: Deadline,
    fewest: int,
    listener: Listener,
    most_valid: int | None = None,
) -> int:
    """How many training rows are read by the deadline, `fewest` or more and at most `most`; their features are kept for
    the runs to come, and are those that a pass over this sample computes. recipe: of a run whose base is all frozen.
    most_valid: validation rows, at most; None: a third as many as training rows."""

    def sample(rows: int) -> Job:
        return job.sample(rows, recipe.seed, rows_to_validate(rows, most_valid))

    held, least_held = len(sample(most).valid or ()), len(sample(1).valid or ())

    def validated(rows: int) -> int:
        third = rows_to_validate(rows, most_valid) or max(rows // 3, 1)
        return min(max(third, least_held), held)

    return _passed(recipe, sample, validated, most, deadline, fewest, listener)


def pass_of_better(job: Job, recipe: Recipe, row: float, deadline: Deadline, listener: Listener) -> int:
    """The same for a probe on another base than the one that the rows of a job were counted for: all rows that validate
    are read, and as many of the others as there is time for beside its head and its predictions of the test rows; none
    where they would be too few. row: seconds for one, about."""
    own = deadline.sooner(len(job.test or ()) * row).part(READING)
    if rows_in_time(job, row, own.left()) == 0:
        return 0
    most = rows_in_time(job, row / FASTER, own.left())

    def sample(rows: int) -> Job:
        return with_train(job, rows, recipe.seed)

    held = len(job.valid or ())
    return _passed(recipe, sample, lambda _: held, most, own, fewest(job), listener)


def _passed(
    recipe: Recipe,
    sample: Callable[[int], Job],
    validated: Callable[[int], int],
    most: int,
    deadline: Deadline,
    fewest: int,
    listener: Listener,
) -> int:
    """sample: the job on so many training rows. validated: validation rows that are read beside them."""
    drawn = sample(most)
    run = make_ready(drawn, replace(recipe, rows=most))
    least = min(max(fewest, len(sample(1).train)), len(drawn.train))
    done = timed_pass(run.network, run.train, run.valid, validated, deadline.left, least=least, watch=listener.computed)
    kept = make_ready(sample(done.rows), replace(recipe, rows=done.rows))
    keep_features(kept.network, kept.train, done.features)
    if kept.valid:
        keep_features(kept.network, kept.valid, done.valid_features)
    return done.rows


def rows_to_validate(rows: int, most: int | None) -> int | None:
    """Validation rows beside so many training rows, as a recipe says it: None is a third as many."""
    return None if most is None else min(max(rows // 3, 1), most)
