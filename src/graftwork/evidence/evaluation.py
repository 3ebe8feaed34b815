"""What a model's predictions on labelled rows are worth: scores with intervals, and where it goes wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from graftwork.data.episodes import Episodes
from graftwork.errors import DataError
from graftwork.evidence.scores.breakdown import Bin, ClassScore, Pair, class_scores, confused_pairs, reliability
from graftwork.evidence.scores.domains import DomainScore, domain_scores
from graftwork.evidence.scores.examples import Example, Rows, most_wrong, slowest
from graftwork.evidence.scores.intervals import RESAMPLES, Interval, bootstrap
from graftwork.evidence.scores.number_errors import NumberErrors, number_errors
from graftwork.evidence.scores.verification import Verification, verification
from graftwork.tasks.embedding.identity import Identity
from graftwork.tasks.metrics.registry import METRICS, given_to
from graftwork.tasks.task import Task

_POINTS = 1000


@dataclass(frozen=True, repr=False)
class Evaluation:
    """Scores and details of one set of rows.

    task: its name. rows: labelled rows that were scored; unlabelled: rows without a target, which were not.
    scores: by metric. baseline: score on these rows of always answering the most frequent class (accuracy), or None.
    per_class, pairs, reliability: empty where the task has no classes. points: (truth, predicted) of a regression,
    at most 1,000 rows. errors: how far its numbers are off. episodes: how they were drawn, where episodes were scored
    in place of rows. most_wrong, slowest: a few rows each, worst first.
    domains: the same scores by domain, where the rows have one.
    """

    task: str
    classes: tuple[str, ...]
    rows: int
    unlabelled: int
    scores: dict[str, Interval]
    baseline: float | None = None
    per_class: tuple[ClassScore, ...] = ()
    pairs: tuple[Pair, ...] = ()
    reliability: tuple[Bin, ...] = ()
    points: tuple[tuple[float, float], ...] = ()
    errors: NumberErrors | None = None
    most_wrong: tuple[Example, ...] = ()
    slowest: tuple[Example, ...] = ()
    verification: Verification | None = None
    domains: tuple[DomainScore, ...] = ()
    episodes: Episodes | None = None

    @property
    def uncovered(self) -> tuple[str, ...]:
        """Classes that no row has, of which the scores say nothing."""
        return tuple(one.label for one in self.per_class if not one.rows)

    def to_json(self) -> dict[str, dict[str, float]]:
        """`{"accuracy": {"value": …, "low": …, "high": …}, …}`, plain JSON data."""
        return {name: interval.to_json() for name, interval in self.scores.items()}

    def __repr__(self) -> str:
        from graftwork.evidence.views import evaluation_lines

        return "\n".join(evaluation_lines(self))

    def _repr_html_(self) -> str:
        from graftwork.evidence.views import evaluation_html

        return evaluation_html({"": self})


class Evaluations(Mapping[str, Evaluation]):
    """The evaluations of several targets on one set of rows, by target; a target without a labelled row is left out."""

    def __init__(self, by_target: Mapping[str, Evaluation]) -> None:
        self._by_target = dict(by_target)

    def __getitem__(self, target: str) -> Evaluation:
        return self._by_target[target]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_target)

    def __len__(self) -> int:
        return len(self._by_target)

    def __repr__(self) -> str:
        from graftwork.evidence.views import evaluations_lines

        return "\n".join(evaluations_lines(self))

    def _repr_html_(self) -> str:
        from graftwork.evidence.views import evaluation_html

        return evaluation_html(self)

    def to_json(self) -> dict[str, dict[str, dict[str, float]]]:
        """`{target: {metric: {"value": …, "low": …, "high": …}}}`, plain JSON data."""
        return {target: evaluation.to_json() for target, evaluation in self._by_target.items()}


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
    truth, given = task.judge(targets[keep], probabilities[keep])
    shown = Rows(keep, rows, texts, lengths)

    def score(picked: np.ndarray) -> dict[str, Interval]:
        return _scores(task, truth[picked], given[picked], seed, resamples)

    by_domain = domain_scores(np.asarray(domains, dtype=object)[keep], score) if domains is not None else ()
    if task.open_set:
        return replace(_of_open_set(task, truth, given, shown, len(targets), seed, resamples), domains=by_domain)
    chosen = task.choose(given)
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
    metrics = [METRICS[name] for name in task.metrics if len(task.classes) >= METRICS[name].least_classes]
    metrics = [METRICS[name] for name in task.metrics] if task.open_set else metrics
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
