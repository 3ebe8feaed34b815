"""The learning curve of a probe: it is solved on ever more of the cached features, and scored on rows it never saw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from graftwork.evidence.profile.finding import Finding
from graftwork.evidence.profile.learning_curve import LEAST_SIZES, SizeErrors
from graftwork.evidence.profile.more_rows import more_rows, too_few
from graftwork.runs.job.folds import FOLDS, folds
from graftwork.runs.job.held_out import drawing_order
from graftwork.runs.profile.features import FrozenBase, RowFeatures
from graftwork.runs.profile.probes import Probe, answers, probe
from graftwork.tasks.metrics.registry import metric_for, score

SHARES = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)
DRAWS = 5
MOST = 20_000
"""Rows on which the curve is measured at most; from there it is carried on."""
LEAST_ROWS, LEAST_A_CLASS = 20, 2
"""Rows of the smallest draw at least, and the same for each class."""
LEAST_SCORED = 100
"""Test rows by which a curve is scored at least; with fewer, folds of the training rows are."""


@dataclass(frozen=True)
class _Draw:
    """One way through the rows: smaller draws are beginnings of larger ones. order: places in the training features;
    scored: in those that are scored."""

    order: np.ndarray
    scored: np.ndarray


def learning_curve(base: FrozenBase, train: RowFeatures, test: RowFeatures | None = None) -> Finding:
    """What doubling the rows should bring, by probes of all targets that a linear head fits.

    test: the rows that are scored; without them, or with few, each fold of the training rows in turn.
    """
    scored = test if test is not None and _labelled(base, test) >= LEAST_SCORED else None
    rows = _labelled(base, train)
    curve = errors_by_size(base, train, scored)
    metrics = {name: metric_for(base.job.metrics[name], base.job.tasks[name]) for name in base.heads}
    if not curve:
        return too_few(rows)
    one = next(iter(metrics.values()))
    return more_rows(
        curve,
        rows,
        metric=one.display[:1].lower() + one.display[1:] if len(metrics) == 1 else "the mean score of the targets",
        percent=all(metric.unit == "percent" for metric in metrics.values()),
        best=_best(base),
        scored="the test rows" if scored is not None else "training rows that were held out in turn",
    )


def errors_by_size(base: FrozenBase, train: RowFeatures, test: RowFeatures | None = None) -> list[SizeErrors]:
    """The errors of probes by the rows they learned from; none where rows are too few for `LEAST_SIZES` sizes."""
    draws = list(_draws(base, train, test))
    if not draws:
        return []
    heads, seed = base.heads, base.recipe.seed
    most = min(len(draw.order) for draw in draws)
    classes = max(base.job.tasks[name].outputs if base.job.tasks[name].single_label else 1 for name in heads)
    least = max(LEAST_ROWS, LEAST_A_CLASS * classes)
    sizes = [size for share in SHARES if (size := round(share * most)) >= least]
    several = test is None  # of all rows there is one draw only, unless other rows are scored each time
    if len(sizes) < LEAST_SIZES:
        return []
    errors = np.full((len(sizes), len(draws)), np.nan)
    for at, size in enumerate(sizes):
        firsts: dict[str, Probe] = {}
        for index, draw in enumerate(draws if several or size < most else draws[:1]):
            held = train if test is None else test
            errors[at, index] = _best(base) - _score(base, train, held, draw.order[:size], draw.scored, seed, firsts)
    if several:  # a fold that is harder to predict is so at every size
        errors -= errors.mean(axis=0) - errors.mean()
    return [
        SizeErrors(size, tuple(float(error) for error in found if not np.isnan(error)))
        for size, found in zip(sizes, errors, strict=True)
    ]


def _draws(base: FrozenBase, train: RowFeatures, test: RowFeatures | None) -> Iterator[_Draw]:
    heads, seed = base.heads, base.recipe.seed
    if not heads:
        return
    labelled = np.flatnonzero(np.any([train.labelled[name] for name in heads], axis=0))
    kinds = _kinds(base, train)
    count = int(np.clip(3 * MOST // max(1, len(labelled)), 3, DRAWS))
    together = None if train.together is None else train.together[labelled]
    fold = folds(np.zeros(len(labelled), np.int64) if kinds is None else kinds[labelled], seed, together=together)
    for index in range(count if test is not None else FOLDS):
        learned = labelled if test is not None else labelled[fold != index]
        if not len(learned):
            continue
        order = learned[drawing_order(None if kinds is None else kinds[learned], len(learned), seed + index)]
        yield _Draw(order[:MOST], np.arange(len(test)) if test is not None else labelled[fold == index])


def _score(
    base: FrozenBase,
    train: RowFeatures,
    held: RowFeatures,
    rows: np.ndarray,
    scored: np.ndarray,
    seed: int,
    firsts: dict[str, Probe],
) -> float:
    """Of probes of these rows, on the scored ones; more is better, the mean over the targets. firsts: by target, of the
    first draw of as many rows, which chooses the penalty for all."""
    found = []
    for name, head in base.heads.items():
        task, metric = base.job.tasks[name], metric_for(base.job.metrics[name], base.job.tasks[name])
        learned, asked = rows[train.labelled[name][rows]], scored[held.labelled[name][scored]]
        if not len(learned) or not len(asked):
            continue
        solved = probe(head, train.values, train.targets[name], task, learned, seed, firsts.get(name))
        firsts.setdefault(name, solved)
        given = task.scored(answers(solved.head, held.values, asked))
        value = score(task, metric.name, np.asarray(held.targets[name][asked]), given)
        found.append(value if metric.higher_is_better else -value)
    return float(np.mean(found))


def _best(base: FrozenBase) -> float:
    """The score that can't be bettered: an error of 0, or else 1."""
    tasks, metrics = base.job.tasks, base.job.metrics
    return 1.0 if any(metric_for(metrics[name], tasks[name]).higher_is_better for name in base.heads) else 0.0


def _labelled(base: FrozenBase, rows: RowFeatures) -> int:
    """Rows that have a target which a probe learns."""
    marks: Mapping[str, np.ndarray] = rows.labelled
    known = [marks[name] for name in base.heads if name in marks]
    return int(np.any(known, axis=0).sum()) if known else 0


def _kinds(base: FrozenBase, rows: RowFeatures) -> np.ndarray | None:
    """Class of each row (N,) of the first target with one class a row, -1 without; None where no target has."""
    for name in base.heads:
        if base.job.tasks[name].single_label:
            return np.where(rows.labelled[name], rows.targets[name], -1)
    return None
