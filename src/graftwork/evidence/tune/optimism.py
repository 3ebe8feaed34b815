"""What choosing among many on the same rows adds to the score of the chosen one, and what is left of it on new rows.

The whole choice is made again on each draw of the judged rows, and what it picks is scored on the rows that the draw
left out: bootstrap bias corrected (Tsamardinos, Greasidou and Borboudakis 2018). It trains nothing anew. What it can't
see: the search itself looked at these rows while it went on, at every score that it was told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from graftwork.evidence.scores.intervals import Interval, percentiles
from graftwork.evidence.tune.resampled import FEWEST_DRAWS, Resampled
from graftwork.evidence.tune.rule import keep
from graftwork.evidence.tune.trials import Trial

Select = Callable[[np.ndarray], int]
"""Scores (T,) -> the place of the trial that is picked."""


@dataclass(frozen=True)
class Optimism:
    """expected: the score that may be expected on new rows, 95 %. optimism: how far the score on the judged rows is
    above it. gain: how much better than the default it may be expected to score on new rows, 95 %; None where there is
    none to compare with. again: the share of draws in which the same trial is picked. trials, rows: chosen among, and
    judged on.
    """

    expected: Interval
    optimism: float
    gain: Interval | None
    again: float
    trials: int
    rows: int

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data."""
        return asdict(self)


def optimism(found: Resampled, select: Select, default: int | None = None, level: float = 0.95) -> Optimism | None:
    """Of a choice among all trials of `found`; None where one stands alone, and where too few rows say anything.

    select: the choice (`by_rule`, `best`). default: the number of the trial that the gain is over.
    """
    if len(found.numbers) < 2 or len(found.drawn) < FEWEST_DRAWS:
        return None
    kept = select(found.values)
    picked = np.array([select(scores) for scores in found.drawn])
    new = found.left_out[np.arange(len(picked)), picked]
    gain = None
    if default in found.numbers:
        at = found.numbers.index(default)
        there, own = found.values - found.values[at], found.drawn - found.drawn[:, [at]]
        gain = _moved(float((new - found.left_out[:, at]).mean()), float(there[kept]), own[:, kept], level)
    expected = _moved(float(new.mean()), float(found.values[kept]), found.drawn[:, kept], level)
    return Optimism(
        expected,
        float(found.values[kept]) - expected.value,
        gain,
        float((picked == kept).mean()),
        len(found.numbers),
        found.rows,
    )


def best(scores: np.ndarray) -> int:
    """The best score, whatever it costs."""
    return int(np.argmax(scores))


def by_rule(found: Resampled, trials: Sequence[Trial]) -> Select:
    """The choice that `choose` makes (`rule.keep`). trials: those of `found`, in any order."""
    by_number = {one.number: one for one in trials}
    ordered = [by_number[number] for number in found.numbers]
    return lambda scores: keep(ordered, scores, found.bounds).place


def _moved(expected: float, value: float, drawn: np.ndarray, level: float) -> Interval:
    """The interval of the chosen one's score, moved by what choosing added to it: the rows left out are but a third of
    all, so that theirs (which the paper takes) is wider than it need be."""
    low, high = percentiles(value, drawn, level)
    return Interval(expected, low - value + expected, high - value + expected)
