"""Features of frozen bases that an ablation computes once for all its rows, for the arms and repeats that read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from graftwork.runs.ablation.arms import Arm
from graftwork.runs.ablation.inputs import without_columns
from graftwork.runs.ablation.repeats import Repeat
from graftwork.runs.job.job import Job
from graftwork.runs.listener import Listener
from graftwork.runs.single.shared_features import read_by, share_features


@dataclass(frozen=True)
class Shared:
    """done: which parts are in the cache already, by what reads them, the columns, and the repeat."""

    done: set[tuple[str, int]] = field(default_factory=set)

    def put(self, arm: Arm, repeat: Repeat, job: Job, frozen: Sequence[str], listener: Listener) -> None:
        """Put the features of the job's rows into the cache, for the inputs that are `frozen` in this arm.

        job: of the arm on the repeat.
        """
        recipe = repeat.recipe(arm)
        reads = repr((read_by(recipe), arm.without))
        if not frozen or (reads, repeat.number) in self.done or recipe.rows is not None:
            return
        self.done.add((reads, repeat.number))
        valid = job.valid if recipe.valid_rows is None else None  # those that were drawn stand elsewhere
        parts = ((job.train, repeat.train), (valid, repeat.valid), (job.test, repeat.held))
        given = [(part, places) for part, places in parts if part is not None]
        share_features(job, recipe, without_columns(repeat.pool.table, arm.without), given, frozen, listener)
