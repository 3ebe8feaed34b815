"""From which probability on a class is predicted, so that a metric is best: for classes, and for label sets. Of more
than two classes each has a weight on its probability (`class_thresholds`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from graftwork.errors import UsageError
from graftwork.evidence.sure.calibration import Calibration
from graftwork.evidence.sure.class_thresholds import class_weights
from graftwork.shown import shortened_text
from graftwork.tasks.capabilities import Decides, Weighs
from graftwork.tasks.metrics.metric import Metric
from graftwork.tasks.metrics.registry import metric_for
from graftwork.tasks.task import Task

USUAL = 0.5
MOST = 200
"""Thresholds that are tried."""


@dataclass(frozen=True)
class Decision:
    """threshold: the probability from which on the class is predicted: the second one of two, or any of a label set.
    score, usual: of the metric with it and with 0.5, on rows that did not choose it. label: the second class of two.
    weights: by class, in place of a threshold, where there are more of them."""

    metric: Metric
    threshold: float
    score: float
    usual: float
    label: str = ""
    weights: Mapping[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {
            "metric": self.metric.name,
            "threshold": self.threshold,
            "score": self.score,
            "at_one_half": self.usual,
            **({"weights": dict(self.weights)} if self.weights else {}),
        }

    def sentence(self) -> str:
        """What was chosen, and what it is worth."""
        before, now = self.metric.text(self.usual), self.metric.text(self.score)
        if self.weights:
            low, high = (chosen(self.weights, key=lambda name: self.weights[name]) for chosen in (min, max))
            lightest = f"{self.weights[low]:.3g} for '{shortened_text(low)}'"
            worth = f"{self.metric.display} {now} on rows that did not choose it, {before} for the most probable class"
            heaviest = f"1 for '{shortened_text(high)}'"
            return f"Predicted is the highest probability times a weight, {lightest} to {heaviest}: {worth}."
        what = f"'{shortened_text(self.label)}'" if self.label else "a label"
        worth = f"{self.metric.display} {now} on rows that did not choose it, {before} from 0.5 on"
        return f"Predicted is {what} from a probability of {self.threshold:.3g} on: {worth}."


def can_decide(task: Task) -> bool:
    """Whether thresholds, or weights of classes, say what is predicted."""
    if task.holds_out != "rows":
        return False
    return (isinstance(task, Decides) and (task.answer == "classes" or task.outputs == 2)) or weighs(task)


def weighs(task: Task) -> bool:
    """Whether there are weights of several classes in place of one threshold."""
    return isinstance(task, Weighs) and task.answer == "class" and task.outputs > 2


def metrics_asked(tasks: Mapping[str, Task], asked: str | Mapping[str, str]) -> dict[str, str]:
    """By target, the metric that its threshold is chosen by; of one metric for all, of the targets that have any.

    Raises UsageError for a target that there is not, or that has no threshold, and for a metric that does not fit.
    """
    able = [name for name, task in tasks.items() if can_decide(task)]
    named = dict.fromkeys(able, asked) if isinstance(asked, str) else dict(asked)
    for name in [*named, *(() if named else tasks)]:
        if name not in able:
            kind = f"a {tasks[name].name}" if name in tasks else "no target"
            raise UsageError(f"Thresholds are for classes and for label sets; '{name}' is {kind}.")
    for name, metric in named.items():
        _choosing(tasks[name], metric)
    return named


def best_decisions(task: Task, rows: Calibration, metric: str) -> Task:
    """The task with the threshold, or the weights of classes, that score best on these rows. Raises UsageError for a
    metric that these do not change."""
    if not weighs(task):
        return with_threshold(task, best_threshold(task, rows, metric))
    assert isinstance(task, Weighs)
    found = class_weights(rows.kept, rows.truth, _choosing(task, metric))
    weighed: Task = task.weighing(tuple(found.tolist()))
    return weighed


def best_threshold(task: Task, rows: Calibration, metric: str) -> float:
    """The one with the best score on these rows, among 200 at most; of those that are as good, the one nearest to 0.5.

    Raises UsageError for a metric that a threshold does not change.
    """
    chosen = _choosing(task, metric)
    sign = 1.0 if chosen.higher_is_better else -1.0
    given = rows.kept[:, 1] if task.answer == "class" else rows.kept
    seen = np.unique(given.astype(np.float64))
    between = (seen[1:] + seen[:-1]) / 2
    if len(between) > MOST:
        between = np.quantile(between, np.linspace(0, 1, MOST))
    tried = [USUAL, *(float(value) for value in np.unique(between) if 0.0 < value < 1.0)]
    return max(tried, key=lambda one: (sign * score_at(task, rows, chosen, one), -abs(one - USUAL)))


def decision(task: Task, rows: Calibration, metric: str) -> Decision:
    """What the task's threshold is worth on rows that did not choose it."""
    chosen = _choosing(task, metric)
    if isinstance(task, Weighs) and weighs(task):
        now, before = (chosen(rows.truth, one.predicted(rows.kept)) for one in (task, task.weighing(())))
        return Decision(chosen, USUAL, now, before, weights=dict(zip(task.classes, task.weights, strict=True)))
    assert isinstance(task, Decides)
    now, before = (score_at(task, rows, chosen, threshold) for threshold in (task.threshold, USUAL))
    return Decision(chosen, task.threshold, now, before, task.classes[1] if task.answer == "class" else "")


def score_at(task: Task, rows: Calibration, metric: Metric, threshold: float) -> float:
    """The metric of these rows where a class is predicted from this probability on."""
    return metric(rows.truth, with_threshold(task, threshold).predicted(rows.kept))


def with_threshold(task: Task, threshold: float) -> Task:
    """The task with another threshold, of one that can have it (`can_decide`)."""
    assert isinstance(task, Decides)
    found: Task = task.deciding_from(threshold)
    return found


def _choosing(task: Task, name: str) -> Metric:
    """The metric, if it depends on what is chosen."""
    metric = metric_for(name, task)
    if metric.reads != "choices":
        fit = ", ".join(one.name for one in task.metrics().values() if one.reads == "choices")
        raise UsageError(f"{metric.name} reads probabilities, which no threshold changes. Expected one of {fit}.")
    return metric
