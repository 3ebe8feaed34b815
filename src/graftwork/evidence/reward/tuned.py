"""What tuning by a reward brought: the model beside the one that it began from, by the reward and by the usual scores,
and beside the cheaper ways to the same end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graftwork.core.contract.aim import Aim
from graftwork.evidence.reward.cheaper_ways import cheaper_ways
from graftwork.evidence.scores.intervals import Interval, Score, bootstrap, difference
from graftwork.evidence.sure.calibration import Calibration
from graftwork.evidence.words import line, listed, quoted
from graftwork.shown import counted
from graftwork.tasks.metrics.cost_metrics import mean_cost_metric
from graftwork.tasks.metrics.metric import Metric, mean_of_rows
from graftwork.tasks.metrics.registry import given_to
from graftwork.tasks.section import Grid, Section
from graftwork.tasks.task import Task


@dataclass(frozen=True)
class Change:
    """One score of the model that the tuning began from, and of the tuned one. gain: above 0 where the tuned one is
    better, whichever way the score goes; each draw takes the same rows for both."""

    before: Score
    after: Score
    gain: Interval

    def to_json(self) -> dict[str, Any]:
        return {"before": self.before.to_json(), "after": self.after.to_json(), "gain": self.gain.to_json()}


@dataclass(frozen=True)
class Cheaper:
    """Another way to the same end, from the model that the tuning began from. how: what to do. ahead: how much better
    the tuned model scores, paired."""

    name: str
    how: str
    score: Score
    ahead: Interval

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "how": self.how,
            "score": self.score.to_json(),
            "tuned_is_better_by": self.ahead.to_json(),
        }


@dataclass(frozen=True)
class Tuned:
    """Of one target, on the rows of one split. called: what was rewarded. reward: by that. usual: by the task's scores.

    cheaper: other ways to the same end; none where there are none.
    """

    target: str
    called: str
    split: str
    rows: int
    reward: Change
    usual: tuple[Change, ...] = ()
    cheaper: tuple[Cheaper, ...] = ()

    @property
    def sentences(self) -> tuple[str, ...]:
        """What came of it, and what that is worth; the first sentence is for the first screen, with the cheaper way."""
        return (self._reward_said, *self._cheaper_said, *self._hacking_said)

    @property
    def section(self) -> Section:
        """The part of the report."""
        changes = [self.reward, *self.usual]
        rows = [
            (f"{one.after.display}{' (rewarded)' if at == 0 else ''}", *_cells(one)) for at, one in enumerate(changes)
        ]
        for way in self.cheaper:
            ahead = f"tuned is better by {_span(way.score.metric, way.ahead)}"
            rows.append((f"{way.score.display}: {way.name}", "", way.score.text, ahead))
        names = ("Score", "before the reward acted", "tuned by it", "better by")
        return Section("What the reward brought", self.sentences, Grid(names, tuple(rows)))

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {
            "reward": self.called,
            "split": self.split,
            "rows": self.rows,
            **self.reward.to_json(),
            "usual": {one.after.metric.name: one.to_json() for one in self.usual},
            "cheaper": [one.to_json() for one in self.cheaper],
        }

    @property
    def _reward_said(self) -> str:
        one = self.reward
        metric, of = one.after.metric, f" of {quoted(self.target)}" if self.target else ""
        told = f"{metric.display}{of}, which was rewarded, went from {one.before.value_text} to {one.after.value_text}"
        told += f" on {counted(self.rows, f'{self.split} row')}"
        span = f"95 % interval of the gain {_span(metric, one.gain)}"
        if one.gain.low > 0:
            return f"{told}: better by {_amount(metric, one.gain.value)} ({span})."
        if one.gain.high < 0:
            return f"{told}: worse by {_amount(metric, -one.gain.value)} ({span}). Leave the reward out."
        return f"{told}: these rows don't tell the two apart ({span})."

    @property
    def _cheaper_said(self) -> tuple[str, ...]:
        found = []
        for way in self.cheaper:
            span = f"the tuned model is better by {_span(way.score.metric, way.ahead)}"
            scores = f"{line(way.name)}: {way.score.value_text}"
            if way.ahead.low > 0:
                found.append(f"The tuning beats the cheaper way ({scores}; {span}).")
            else:
                word = "better" if way.ahead.high < 0 else "as well, as far as these rows tell"
                need = f"You need no reward tuning: {line(way.how)}"
                found.append(f"The cheaper way does {word} ({scores}; {span}). {need}")
        return tuple(found)

    @property
    def _hacking_said(self) -> tuple[str, ...]:
        worse = [one.after.display for one in self.usual if one.gain.high < 0]
        if not worse or self.reward.gain.low <= 0:
            return ()
        return (
            f"While the reward rose, {listed(worse)} became worse: the reward may not say all that you want. Hold the "
            "model nearer to where it began (kl=, a larger mix=) where that matters.",
        )


def held_against(
    task: Task,
    aim: Aim,
    targets: Any,
    before: Any,
    after: Any,
    *,
    target: str = "",
    split: str = "validation",
    tuning: tuple[Any, Any] | None = None,
    judged: tuple[np.ndarray, np.ndarray] | None = None,
    seed: int = 0,
) -> Tuned:
    """targets, before, after: of N labelled rows, as `Task.encode_rows` and `Task.scored` give them.

    tuning: targets and `before` of rows that choose thresholds, where others than these did. judged: what the aim's
    judge says of the answers before and after (N,), of an aim that has one.
    """
    truth, first = task.metric_inputs(targets, before)
    _, second = task.metric_inputs(targets, after)
    metric = aimed_at(aim)
    began, ended = judged or (given_to(metric, task, first), given_to(metric, task, second))
    change = _change(metric, truth, began, ended, seed)
    usual = [
        _change(one, truth, given_to(one, task, first), given_to(one, task, second), seed)
        for one in task.metrics().values()
        if one.name != metric.name and len(task.classes) >= one.least_classes
    ]
    rows = Calibration(first, truth)
    others = None if tuning is None else Calibration(*reversed(task.metric_inputs(*tuning)))
    cheaper = [
        Cheaper(
            way.name,
            way.how,
            bootstrap(truth, [(metric, way.choices)], seed)[metric.name],
            difference(metric, truth, ended, way.choices, seed),
        )
        for way in cheaper_ways(task, aim, rows, others, seed, target)
    ]
    return Tuned(target, aim.called, split, len(truth), change, tuple(usual), tuple(cheaper))


def aimed_at(aim: Aim) -> Metric:
    """The score that an aim is judged by."""
    if aim.metric is not None:
        return aim.metric
    if aim.costs is not None:
        return mean_cost_metric(aim.costs)
    return Metric(
        "reward", lambda _, given: mean_of_rows(given), "kept", True, f"Reward ({line(aim.called, 60)})", "plain"
    )


def tuned_json(found: Sequence[Tuned]) -> dict[str, Any]:
    """By target."""
    return {one.target or "target": one.to_json() for one in found}


def _change(metric: Metric, truth: Any, before: Any, after: Any, seed: int) -> Change:
    first, second = (bootstrap(truth, [(metric, given)], seed)[metric.name] for given in (before, after))
    return Change(first, second, difference(metric, truth, after, before, seed))


def _cells(one: Change) -> tuple[str, str, str]:
    metric = one.after.metric
    return one.before.text, one.after.text, f"{_signed(metric, one.gain.value)} ({_span(metric, one.gain)})"


def _amount(metric: Metric, value: float) -> str:
    """A difference of two scores, in the metric's unit."""
    return f"{100 * value:.1f} points" if metric.unit == "percent" else metric.text(value)


def _signed(metric: Metric, value: float) -> str:
    sign = "+" if value > 0 else "-" if value < 0 else ""
    return sign + _amount(metric, abs(value))


def _span(metric: Metric, gain: Interval) -> str:
    return f"{_signed(metric, gain.low).removesuffix(' points')} to {_signed(metric, gain.high)}"
