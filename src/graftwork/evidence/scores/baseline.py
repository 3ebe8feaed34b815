"""The score that needs no model (the commonest class, the median, chance), and whether a model beats it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from graftwork.evidence.scores.intervals import Interval, difference
from graftwork.tasks.metrics.metric import Metric
from graftwork.tasks.metrics.registry import given_to, metric_for
from graftwork.tasks.task import Task

_SAYS_NOTHING = ("calibration_error",)
"""A constant answer does well here, so that no model has to beat it."""


@dataclass(frozen=True)
class Baseline:
    """What a model has to beat.

    name: the answer that needs no model, to be read behind "always" or "by": "the commonest class, 'spam'", "chance".
    metric: of the score. score: what that answer scores on the same rows. interval: how much better the model is,
    in the metric's unit and above 0 where it is better, whichever way the metric goes; with its 95 % interval, paired
    over the rows. beaten: the interval lies above 0.
    """

    name: str
    metric: Metric
    score: float
    interval: Interval
    beaten: bool

    def sentence(self) -> str:
        """Whether the model beats it, for people."""
        what = f"{self.name} ({self.metric.display} {self.metric.text(self.score)})"
        if self.beaten:
            return f"Better than {what}."
        clearly = "Worse than" if self.interval.high < 0 else "Not shown to be better than"
        return f"{clearly} {what}: the model has learned nothing that can be relied on."

    def to_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "metric": self.metric.name,
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
    bound = metric_for(metric, task)
    chance = task.chance(bound, targets)
    if chance is not None:
        return _by_chance(bound, chance, scored)
    truth, given = task.metric_inputs(targets, values)
    found = task.constant(train, bound, given)
    if found is None:
        return None
    name, constant = found
    first, second = (given_to(bound, task, each) for each in (given, constant))
    interval = difference(bound, truth, first, second)
    return Baseline(name, bound, bound(truth, second), interval, interval.low > 0)


def _by_chance(metric: Metric, chance: float, scored: Interval) -> Baseline:
    """Chance is a number without an interval of its own, so the model's says it all."""
    if metric.higher_is_better:
        interval = Interval(scored.value - chance, scored.low - chance, scored.high - chance)
    else:
        interval = Interval(chance - scored.value, chance - scored.high, chance - scored.low)
    return Baseline("chance", metric, chance, interval, interval.low > 0)
