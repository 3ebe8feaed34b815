"""The score that needs no model (the commonest class, the median, chance), and whether a model beats it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from graftwork.data.episodes import Episodes
from graftwork.evidence.scores.intervals import Interval, difference
from graftwork.shown import shortened_text, shown_number
from graftwork.tasks.metrics.registry import METRICS, given_to
from graftwork.tasks.task import Task

_ABSOLUTE = ("mae",)
"""Metrics for which the median is the best constant; for the others it is the mean."""
_SAYS_NOTHING = ("calibration_error",)
"""A constant answer does well here, so that no model has to beat it."""


@dataclass(frozen=True)
class Baseline:
    """What a model has to beat.

    name: the answer that needs no model, to be read behind "always" or "by": "the commonest class, 'spam'", "chance".
    metric: name of the score. score: what that answer scores on the same rows. interval: how much better the model is,
    in the metric's unit and above 0 where it is better, whichever way the metric goes; with its 95 % interval, paired
    over the rows. beaten: the interval lies above 0.
    """

    name: str
    metric: str
    score: float
    interval: Interval
    beaten: bool

    def sentence(self) -> str:
        """Whether the model beats it, for people."""
        metric = METRICS[self.metric]
        what = f"{self.name} ({metric.display} {metric.text(self.score)})"
        if self.beaten:
            return f"Better than {what}."
        clearly = "Worse than" if self.interval.high < 0 else "Not shown to be better than"
        return f"{clearly} {what}: the model has learned nothing that can be relied on."

    def to_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "metric": self.metric,
            "score": self.score,
            "difference": self.interval.to_json(),
            "beaten": self.beaten,
        }


def baseline_of(
    task: Task, metric: str, targets: np.ndarray, values: np.ndarray, train: np.ndarray, scored: Interval
) -> Baseline | None:
    """The baseline of labelled rows, or None for a metric that no model has to beat.

    targets (N, ...) as the task encodes them; values: what `task.scored` gives of these rows. train: the targets of the
    training rows, which is all that a baseline may know. scored: the model's score.
    """
    if metric in _SAYS_NOTHING:
        return None
    if task.open_set:
        return _by_chance(metric, _chance_of_pairs(metric, targets), scored)
    truth, given = task.metric_inputs(targets, values)
    name, constant = _constant(task, metric, train, given)
    first, second = (given_to(METRICS[metric], task, each) for each in (given, constant))
    interval = difference(metric, truth, first, second)
    return Baseline(name, metric, METRICS[metric](truth, second), interval, interval.low > 0)


def baseline_of_episodes(metric: str, shape: Episodes, scored: Interval) -> Baseline:
    """Of episodes: one of so many classes, by chance."""
    return _by_chance(metric, 1 / shape.way, scored)


def _constant(task: Task, metric: str, train: np.ndarray, given: np.ndarray) -> tuple[str, np.ndarray]:
    """The answer for every row, in the form of `given`, and what to call it."""
    rows = len(given)
    if "real_targets" in task.facts:
        numbers = task.truth(train)
        named, value = ("median", np.median(numbers)) if metric in _ABSOLUTE else ("mean", numbers.mean())
        return f"the {named} of the training rows, {shown_number(float(value))}", np.full((rows, 1), float(value))
    if "hard_labels" in task.facts:
        counts = np.bincount(train, minlength=task.outputs)
        shares = (counts / counts.sum()).astype(np.float32)
        return f"the commonest class, '{shortened_text(task.classes[int(shares.argmax())])}'", np.tile(
            shares, (rows, 1)
        )
    if task.classes:
        return _of_several_labels(task, metric, train, rows)
    even = np.arange(1, rows + 1, dtype=given.dtype)  # ranks of partners that are found by chance: each rank once
    draw = np.random.default_rng(0)
    return "chance", np.stack([draw.permutation(even) for _ in range(given.shape[1])], axis=1)


def _of_several_labels(task: Task, metric: str, train: np.ndarray, rows: int) -> tuple[str, np.ndarray]:
    """Shares for metrics of probabilities, else the labels of the commonest row that has any."""
    if METRICS[metric].reads == "probabilities":
        return "the labels' shares in the training rows", np.tile(train.mean(axis=0).astype(np.float32), (rows, 1))
    some = train[train.any(axis=1)] if train.any() else train
    found, counts = np.unique(some, axis=0, return_counts=True)
    commonest = found[int(counts.argmax())]
    names = ", ".join(f"'{shortened_text(task.classes[at])}'" for at in np.flatnonzero(commonest)[:3])
    return f"the commonest labels, {names or 'none'}", np.tile(commonest.astype(np.float32), (rows, 1))


def _by_chance(metric: str, chance: float, scored: Interval) -> Baseline:
    """Chance is a number without an interval of its own, so the model's says it all."""
    if METRICS[metric].higher_is_better:
        interval = Interval(scored.value - chance, scored.low - chance, scored.high - chance)
    else:
        interval = Interval(chance - scored.value, chance - scored.high, chance - scored.low)
    return Baseline("chance", metric, chance, interval, interval.low > 0)


def _chance_of_pairs(metric: str, identities: np.ndarray) -> float:
    """What embeddings that know nothing score: of pairs by definition, of neighbours by how many are there."""
    if metric.startswith("tar_at_far_"):
        return float(metric.removeprefix("tar_at_far_"))
    if metric == "eer":
        return 0.5
    _, counts = np.unique(identities, return_counts=True)
    asked = counts[counts > 1]  # a row without another one of its identity is not looked for
    return float((asked * (asked - 1)).sum() / (asked.sum() * max(1, len(identities) - 1))) if len(asked) else 0.0
