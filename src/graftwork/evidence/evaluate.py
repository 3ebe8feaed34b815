"""From a model's predictions on labelled rows to scores with intervals, and where it goes wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from graftwork.errors import DataError
from graftwork.evidence.evaluation import Evaluation
from graftwork.evidence.scores.breakdown import class_scores, confused_pairs, reliability
from graftwork.evidence.scores.domains import domain_scores
from graftwork.evidence.scores.examples import Rows, most_wrong, slowest
from graftwork.evidence.scores.intervals import RESAMPLES, Interval, bootstrap
from graftwork.evidence.scores.number_errors import number_errors
from graftwork.evidence.scores.verification import verification
from graftwork.tasks.embedding.identity import Identity
from graftwork.tasks.metrics.registry import METRICS, given_to
from graftwork.tasks.task import Task

_POINTS = 1000
"""Rows of a plot, drawn at random from more."""


def evaluate(
    task: Task,
    targets: np.ndarray,
    probabilities: np.ndarray,
    rows: np.ndarray,
    texts: Sequence[str] | None = None,
    lengths: np.ndarray | None = None,
    *,
    labelled: np.ndarray | None = None,
    domains: Sequence[str | None] | np.ndarray | None = None,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Evaluation:
    """Score `task.probabilities` (N, outputs) of N rows against their targets, as `task.encode` gives them; of an open
    set its embeddings (N, E).

    rows: row numbers in their source (N,). texts: what to show of each row. lengths: tokens of each row, for the list
    of the slowest rows. labelled: mask of rows that have a target; all where left out. domains: of each row, None for
    none.
    Raises DataError where no row is labelled, or where the rows of an open set have no pair to compare.
    """
    keep = np.flatnonzero(np.ones(len(targets), bool) if labelled is None else labelled)
    if len(keep) == 0:
        raise DataError(f"None of {len(targets):,} rows has a target, so there is nothing to evaluate against.")
    truth, given = task.metric_inputs(targets[keep], probabilities[keep])
    shown = Rows(keep, rows, texts, lengths)

    def score(picked: np.ndarray) -> dict[str, Interval]:
        return _scores(task, truth[picked], given[picked], seed, resamples)

    by_domain = domain_scores(np.asarray(domains, dtype=object)[keep], score) if domains is not None else ()
    if task.open_set:
        return replace(_of_open_set(task, truth, given, shown, len(targets), seed, resamples), domains=by_domain)
    chosen = task.predicted(given)
    single_label = "hard_labels" in task.facts
    has_classes = bool(task.classes)
    return Evaluation(
        task=task.name,
        classes=task.classes,
        rows=len(keep),
        unlabelled=len(targets) - len(keep),
        scores=_scores(task, truth, given, seed, resamples),
        domains=by_domain,
        baseline=float(np.bincount(truth).max() / len(truth)) if single_label else None,
        per_class=class_scores(truth, chosen, task.classes) if has_classes else (),
        pairs=confused_pairs(truth, chosen, task.classes) if single_label else (),
        reliability=reliability(truth, given) if has_classes else (),
        points=_points(truth, chosen, seed) if "real_targets" in task.facts else (),
        errors=number_errors(truth, chosen) if "real_targets" in task.facts else None,
        most_wrong=most_wrong(task, truth, given, shown),
        slowest=slowest(task, truth, given, shown),
    )


def _scores(task: Task, truth: np.ndarray, given: np.ndarray, seed: int, resamples: int) -> dict[str, Interval]:
    """Of an open set none where its rows have no pair to compare."""
    if task.open_set and (len(np.unique(truth)) < 2 or len(np.unique(truth)) == len(truth)):
        return {}
    metrics = [METRICS[name] for name in task.metric_names if len(task.classes) >= METRICS[name].least_classes]
    metrics = [METRICS[name] for name in task.metric_names] if task.open_set else metrics
    values = {metric.name: given_to(metric, task, given) for metric in metrics}
    return bootstrap(truth, values, seed, resamples, units=truth if task.open_set else None)


def _of_open_set(
    task: Task, truth: np.ndarray, embeddings: np.ndarray, shown: Rows, rows: int, seed: int, resamples: int
) -> Evaluation:
    """Pairs of rows are scored, and intervals are over identities, which are drawn whole."""
    calibration = task.calibration if isinstance(task, Identity) else None
    threshold = calibration.threshold if calibration else None
    _, counts = np.unique(truth, return_counts=True)
    if len(counts) < 2 or counts.max() < 2:
        raise DataError(
            f"The {len(truth):,} rows show {len(counts):,} different identities, of which the largest has "
            f"{counts.max():,} rows. Expected two rows of one identity at least, and rows of another one."
        )
    return Evaluation(
        task=task.name,
        classes=(),
        rows=len(truth),
        unlabelled=rows - len(truth),
        scores=_scores(task, truth, embeddings, seed, resamples),
        verification=verification(truth, embeddings, shown, threshold),
    )


def _points(truth: np.ndarray, predicted: np.ndarray, seed: int) -> tuple[tuple[float, float], ...]:
    picked = np.arange(len(truth))
    if len(truth) > _POINTS:
        picked = np.sort(np.random.default_rng(seed).choice(len(truth), _POINTS, replace=False))
    return tuple(zip(truth[picked].tolist(), predicted[picked].tolist(), strict=True))
