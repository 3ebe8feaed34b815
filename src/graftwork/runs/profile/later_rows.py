"""Probes scored on the latest rows, and on as many rows at random: what time hides from a random split."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from graftwork.data.columns.times import moment_text, moments
from graftwork.data.splits import latest_split, random_split, stratified_split
from graftwork.data.table import Table
from graftwork.errors import DataError
from graftwork.evidence.profile.finding import Finding
from graftwork.evidence.profile.later_rows import later_rows
from graftwork.evidence.scores.intervals import Score, bootstrap
from graftwork.runs.profile.features import FrozenBase, RowFeatures
from graftwork.runs.profile.probes import MOST, answers, probe
from graftwork.tasks.metrics.registry import given_to, metric_for

SHARE, DRAWS, LEAST = 0.2, 5, 100
"""Share of the rows that is scored, random splits beside the one by time, and the fewest labelled rows."""


def time_findings(base: FrozenBase, table: Table, rows: RowFeatures) -> Iterator[Finding]:
    """A finding for each target that a probe learns; none without a column of times, for few rows, and where all rows
    are of one time.

    rows: the features of the table's rows, in their order.
    """
    column = table.schema.role("time")
    if column is None:
        return
    times, seed = moments(table.column(column.name)), base.recipe.seed
    for name in base.heads:
        at = np.flatnonzero(rows.labelled[name])
        if len(at) < LEAST:
            continue
        targets = np.asarray(rows.targets[name])
        classes = targets[at] if base.job.tasks[name].single_label else None
        try:
            kept, held = latest_split(times[at], SHARE, classes)
        except DataError:  # all of one time: said where it is trained by
            continue
        share = len(held) / len(at)
        splits = [
            random_split(len(at), share, seed + draw)
            if classes is None
            else stratified_split(classes, share, seed + draw)
            for draw in range(DRAWS)
        ]
        latest = _score(base, rows, name, at[kept], at[held])
        drawn = [_score(base, rows, name, at[learned], at[asked]) for learned, asked in splits]
        since = moment_text(table.column(column.name), float(times[at[held]].min()))
        yield later_rows(column.name, since, len(held), latest, drawn)


def _score(base: FrozenBase, rows: RowFeatures, name: str, learned: np.ndarray, asked: np.ndarray) -> Score:
    """Of a probe that learned from some rows (at most `MOST` of them), on others."""
    task, seed = base.job.tasks[name], base.recipe.seed
    if len(learned) > MOST:
        learned = np.sort(np.random.default_rng(seed).choice(learned, MOST, replace=False))
    solved = probe(base.heads[name], rows.values, rows.targets[name], task, learned, seed)
    metric = metric_for(base.job.metrics[name], task)
    given = task.scored(answers(solved.head, rows.values, asked))
    truth, compared = task.metric_inputs(rows.targets[name][asked], given)
    return bootstrap(truth, [(metric, given_to(metric, task, compared))], seed)[metric.name]
