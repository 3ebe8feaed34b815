"""A first look at how long a row takes here, on a few rows, before anything long is begun."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from graftwork.core.rows.examples import prepare
from graftwork.core.run import Run
from graftwork.core.scoring import predict_examples
from graftwork.recipe import Recipe
from graftwork.runs.clock import Clock
from graftwork.runs.job.job import Job
from graftwork.runs.single.run import make_ready

SECONDS = 1.0
"""Rows are read until so much time has passed, and at least `FEWEST` of them where there are so many."""
FEWEST, MOST = 4, 256
SMALL = 64
"""Rows on which a run is made ready to be looked at."""


@dataclass(frozen=True)
class Look:
    """Seconds a row. prepare: tokens or pixels of it. read: a pass of the whole base. score: a prediction, with all
    that techniques do there.

    cached: by input, the share of its blocks that is computed once for all and kept; empty where nothing is.
    """

    prepare: float
    read: float
    score: float
    cached: dict[str, float]

    @property
    def whole(self) -> bool:
        """All of the base is computed once for each row."""
        return bool(self.cached) and all(share == 1.0 for share in self.cached.values())

    @property
    def row(self) -> float:
        """Seconds to have a row's features."""
        return self.prepare + self.read


def first_look(job: Job, recipe: Recipe, clock: Clock = time.monotonic) -> Look:
    """Time a few rows of a job with a recipe that lists its techniques. Raises what `make_ready` raises."""
    return look_at(job, make_ready(job.sample(SMALL, recipe.seed, SMALL), recipe), recipe, clock)


def look_at(job: Job, run: Run, recipe: Recipe, clock: Clock = time.monotonic) -> Look:
    """Time a few training rows. run: made ready for this job or for some of its rows, and not started."""
    rows = job.sample(min(MOST, len(job.train)), recipe.seed).train
    began, start, size = clock(), 0, FEWEST
    seconds: list[tuple[int, float, float, float]] = []
    acting = any(technique.acts_at_prediction for technique in run.techniques)
    while start < len(rows) and (clock() - began < SECONDS or start < FEWEST):
        part = rows.take(np.arange(start, min(start + size, len(rows))))
        begun = clock()
        examples = prepare(part, run.network, {}, recipe.text, keep_on_disk=False)
        prepared = clock()
        predict_examples(run.network, examples, tasks=run.tasks)
        read = clock()
        if acting:
            predict_examples(run.network, examples, run.techniques, tasks=run.tasks)
        done = clock()
        seconds.append((len(part), prepared - begun, read - prepared, done - prepared if acting else read - prepared))
        start, size = start + size, size * 2
    steady = seconds[1:] or seconds  # the first rows also wake the base up
    count = sum(rows for rows, *_ in steady)
    prepare_, read_, score_ = (sum(one[at] for one in steady) / max(count, 1) for at in (1, 2, 3))
    kept = run.cached_shares
    return Look(prepare_, read_, score_, kept if any(kept.values()) else {})
