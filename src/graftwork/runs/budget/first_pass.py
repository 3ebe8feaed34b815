"""The first pass of the frozen base, as far as its time reaches; what is read by then are the rows that are used."""

from __future__ import annotations

from dataclasses import replace

from graftwork.core.frozen.blocks import timed_pass
from graftwork.core.frozen.cache import keep_features
from graftwork.recipe import Recipe
from graftwork.runs.clock import Deadline
from graftwork.runs.job.job import Job
from graftwork.runs.listener import Listener
from graftwork.runs.single import make_ready


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

    drawn = sample(most)
    run = make_ready(drawn, replace(recipe, rows=most))
    smallest = sample(1)
    held, least_held = (len(drawn.valid or ()), len(smallest.valid or ()))

    def validated(rows: int) -> int:
        third = rows_to_validate(rows, most_valid) or max(rows // 3, 1)
        return min(max(third, least_held), held)

    least = min(max(fewest, len(smallest.train)), len(drawn.train))
    done = timed_pass(run.network, run.train, run.valid, validated, deadline.left, least=least, watch=listener.computed)
    kept = make_ready(sample(done.rows), replace(recipe, rows=done.rows))
    keep_features(kept.network, kept.train, done.features)
    if kept.valid:
        keep_features(kept.network, kept.valid, done.valid_features)
    return done.rows


def rows_to_validate(rows: int, most: int | None) -> int | None:
    """Validation rows beside so many training rows, as a recipe says it: None is a third as many."""
    return None if most is None else min(max(rows // 3, 1), most)
