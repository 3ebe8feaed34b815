"""What a technique brought on real data: one row a technique and data set, paired over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from harness.text import table


@dataclass(frozen=True)
class Shown:
    """technique: as `--with` names it, with its settings. data: the set and how it was cut. measure: the score, more is
    better. without, with_it: scores of the same seeds, paired, from 0 to 1."""

    technique: str
    data: str
    measure: str
    without: Sequence[float]
    with_it: Sequence[float]


def paired(without: Sequence[float], with_it: Sequence[float]) -> tuple[float, float, float]:
    """The mean difference and its 95 % interval by Student's t over the pairs; no interval (NaN) of a single pair.

    >>> paired([0.5, 0.6, 0.7], [0.6, 0.7, 0.8])
    (0.1, 0.1, 0.1)
    """
    difference = np.round(np.asarray(with_it, float) - np.asarray(without, float), 12)
    mean = float(difference.mean())
    if len(difference) < 2:
        return mean, float("nan"), float("nan")
    half = float(stats.t.ppf(0.975, len(difference) - 1) * difference.std(ddof=1) / np.sqrt(len(difference)))
    return mean, mean - half, mean + half


def shown_table(rows: Sequence[Shown]) -> str:
    """The table of docs/techniques.md: means, the paired difference in points with its interval, and what it says."""
    lines = [_line(row) for row in rows]
    return table(["technique", "data", "measure", "without", "with", "difference (95 %)", "helps", "seeds"], lines)


def points(without: Sequence[float], with_it: Sequence[float]) -> str:
    """The mean difference in points with its 95 % interval, where there are pairs enough for one.

    >>> points([0.5, 0.5], [0.6, 0.7]), points([0.5], [0.6])
    ('+15.0 (-48.5 to +78.5)', '+10.0')
    """
    mean, low, high = paired(without, with_it)
    return f"{100 * mean:+.1f}" + ("" if np.isnan(low) else f" ({100 * low:+.1f} to {100 * high:+.1f})")


def _line(row: Shown) -> list[str]:
    _, low, high = paired(row.without, row.with_it)
    verdict = "not known" if np.isnan(low) else "yes" if low > 0 else "harms" if high < 0 else "not shown"
    scores = [f"{100 * float(np.mean(values)):.1f}" for values in (row.without, row.with_it)]
    name = f"`{row.technique}`"
    return [name, row.data, row.measure, *scores, points(row.without, row.with_it), verdict, str(len(row.with_it))]
