"""From a model's predictions on labelled rows to scores with intervals, and where it goes wrong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from graftwork.errors import DataError
from graftwork.evidence.details import details_of
from graftwork.evidence.evaluation import Evaluation
from graftwork.evidence.scores.domains import domain_scores
from graftwork.evidence.scores.examples import Rows, most_wrong, slowest
from graftwork.evidence.scores.intervals import RESAMPLES, Score, bootstrap
from graftwork.evidence.slices.search import Divided, partition_scores, worse
from graftwork.evidence.slices.worse import Search
from graftwork.tasks.metrics.metric import Metric
from graftwork.tasks.metrics.registry import given_to
from graftwork.tasks.section import SeenRows
from graftwork.tasks.task import Task


def evaluate(
    task: Task,
    targets: Any,
    kept: Any,
    rows: np.ndarray,
    texts: Sequence[str] | None = None,
    lengths: np.ndarray | None = None,
    *,
    labelled: np.ndarray | None = None,
    domains: Sequence[str | None] | np.ndarray | None = None,
    divided: Divided | None = None,
    also: Iterable[Metric] = (),
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Evaluation:
    """Score N rows: kept, what `task.scored` gives of them, against their targets, as `task.encode_rows` gives them.

    rows: row numbers in their source (N,). texts: what to show of each row. lengths: tokens of each row, for the list
    of the slowest rows. labelled: mask of rows that have a target; all where left out. domains: of each row, None for
    none. divided: how worse slices are looked for, and
    which parts are scored. also: metrics beside the task's own, such as one of another package.
    Raises DataError where no row is labelled, or where rows are compared and there is no pair.
    """
    keep = np.flatnonzero(np.ones(len(targets), bool) if labelled is None else labelled)
    if len(keep) == 0:
        raise DataError(f"None of {len(targets):,} rows has a target, so there is nothing to evaluate against.")
    metrics = {**task.metrics(), **{metric.name: metric for metric in also}}
    truth, given = task.metric_inputs(targets[keep], kept[keep])
    shown = Rows(keep, rows, texts, lengths)
    seen = SeenRows(rows[keep], None if texts is None else [texts[at] for at in keep.tolist()])

    def score(picked: np.ndarray) -> dict[str, Score]:
        return _scores(task, metrics.values(), truth[picked], given[picked], seed, resamples)

    return Evaluation(
        task=task.name,
        rows=len(keep),
        unlabelled=len(targets) - len(keep),
        scores=_scores(task, metrics.values(), truth, given, seed, resamples),
        details=details_of(task, truth, given, shown, seed),
        sections=task.sections(truth, given, seen),
        most_wrong=most_wrong(task, truth, given, shown),
        slowest=slowest(task, truth, given, shown),
        domains=domain_scores(np.asarray(domains, dtype=object)[keep], score) if domains is not None else (),
        by={name: partition_scores(one.take(keep), score) for name, one in divided.asked.items()} if divided else {},
        slices=worse(task, truth, given, divided, keep, rows[keep]) if divided else Search(),
    )


def _scores(
    task: Task, metrics: Iterable[Metric], truth: Any, given: Any, seed: int, resamples: int
) -> dict[str, Score]:
    """Where whole classes are held out the intervals are over these, which are drawn whole; there are no scores where
    no two rows are of one class, or all are."""
    units = truth if task.holds_out == "classes" else None
    if units is not None and len(np.unique(units)) in (1, len(units)):
        return {}
    told = [metric for metric in metrics if len(task.classes) >= metric.least_classes]
    values = [(metric, given_to(metric, task, given)) for metric in told]
    return bootstrap(truth, values, seed, resamples, units=units)
