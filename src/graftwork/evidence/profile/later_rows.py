"""What a random split hides: the score on the latest rows beside that on as many rows at random."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import mean

from graftwork.evidence.profile.finding import Finding
from graftwork.evidence.scores.intervals import Score
from graftwork.evidence.words import quoted

ABOUT = "time-split"
_TO_ERROR = 2 * 1.959964
"""Standard errors between the ends of a 95 % interval."""


def later_rows(column: str, since: str, rows: int, latest: Score, drawn: Sequence[Score]) -> Finding:
    """latest: of a probe that learned from earlier rows, on the `rows` latest ones, from `since` on. drawn: of probes
    that learned from as many rows at random, each on `rows` other ones.

    The difference has an interval that takes both scores for independent, and the random splits for one.
    """
    metric, sign = latest.metric, 1.0 if latest.metric.higher_is_better else -1.0
    random = mean(one.value for one in drawn)
    error = math.hypot(_error(latest), mean(map(_error, drawn)))
    hidden = sign * (random - latest.value)
    low, high = hidden - 1.959964 * error, hidden + 1.959964 * error
    numbers = {
        "column": column,
        "since": since,
        "rows": rows,
        "metric": metric.display,
        "latest": latest.to_json(),
        "random": random,
        "hidden": hidden,
        "hidden_low": low,
        "hidden_high": high,
    }
    said = (
        f"A probe that learned from the earlier rows has {metric.display} {latest.text} on the {rows:,} latest rows "
        f"({quoted(column)} from {since} on); one that learned from rows at random has {metric.text(random)} on as "
        "many others."
    )
    told = f"{_amount(hidden, metric.unit)} ({_amount(low, metric.unit)} to {_amount(high, metric.unit)})"
    if low > 0:
        second = f"A random split hides that: it looks better by {told}."
        remedy = f"Expect the score on the latest rows; --role time={column} makes a fit validate on them."
        return Finding(ABOUT, (said, second), numbers, remedy=remedy)
    second = f"Time hides nothing that these rows can show: the difference is {told}."
    if high < 0:
        second = f"The latest rows are easier than others, by {_amount(-hidden, metric.unit)}."
    return Finding(ABOUT, (said, second), numbers)


def _error(score: Score) -> float:
    return (score.high - score.low) / _TO_ERROR


def _amount(value: float, unit: str) -> str:
    return f"{100 * value:+.1f} points" if unit == "percent" else f"{value:+.3g}"
