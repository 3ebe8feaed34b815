"""What a linear probe on a base's frozen features says of rows that it did not learn from: by which advice is measured.

The same folds and rows for every base, so that two of them are compared row by row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from graftwork.evidence.scores.intervals import Interval, difference
from graftwork.recipe import Recipe
from graftwork.runs.job.job import Job
from graftwork.runs.listener import Listener
from graftwork.runs.profile.features import FrozenBase, RowFeatures, frozen_base
from graftwork.runs.profile.probes import out_of_fold
from graftwork.tasks.metrics.registry import given_to
from graftwork.tasks.task import Task


@dataclass(frozen=True)
class Probed:
    """Rows of one target, predicted by a probe without their fold.

    target, task: what is predicted. truth, given (N, ...): of the labelled rows, as metrics read them. places: of these
    rows in the table (N,).
    """

    base: FrozenBase
    features: RowFeatures
    target: str
    task: Task
    truth: np.ndarray
    given: np.ndarray
    places: np.ndarray

    @property
    def chosen(self) -> np.ndarray:
        """What is answered for each row (N,)."""
        found: np.ndarray = self.task.predicted(self.given)
        return found


def probed(job: Job, recipe: Recipe, listener: Listener) -> list[Probed]:
    """The training rows, one a target that a probe says something of."""
    base = frozen_base(job, recipe, listener)
    features = base.features(job.train, listener)
    found = []
    for target, head in base.heads.items():
        labelled = features.labelled.get(target)
        if labelled is None or not labelled.any():
            continue
        task, targets = job.tasks[target], np.asarray(features.targets[target])
        kept = out_of_fold(head, features, target, task, recipe.seed)
        places = np.flatnonzero(labelled)
        truth, given = task.metric_inputs(targets[places], kept[places])
        found.append(Probed(base, features, target, task, truth, given, places))
    return found


def better(job: Job, first: Sequence[Probed], second: Sequence[Probed], looks: int = 1) -> Interval | None:
    """How much better `first` scores than `second`, more is better: the mean over targets, paired by rows.

    looks: how many are compared with `second`; the interval is widened so that all hold together in 95 of 100 cases
    (Bonferroni). None where they have no target in common. Targets share their draws.
    """
    pairs = [(one, two) for one in first for two in second if one.target == two.target]
    found = [_difference(job, one, two, 1 - 0.05 / looks) for one, two in pairs]
    if not found:
        return None
    return Interval(*(float(np.mean([getattr(one, end) for one in found])) for end in ("value", "low", "high")))


def _difference(job: Job, one: Probed, two: Probed, level: float) -> Interval:
    metric = job.bound_metrics[one.target]
    first, second = (given_to(metric, each.task, each.given) for each in (one, two))
    return difference(metric, one.truth, first, second, level=level)
