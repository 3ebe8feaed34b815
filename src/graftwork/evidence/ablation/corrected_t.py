"""Whether differences over overlapping splits are noise: the corrected t test, at once or at planned looks, by Holm.

Repeats share most of their training rows, so their differences vary together, and a plain t test finds effects that are
none. Nadeau and Bengio (2003) put the variance of the mean at (1/n + rows held out / rows trained on) times that of the
differences. Several comparisons: Holm (1979). Looks: alpha is shared out over all planned looks, which holds however
the looks depend on each other; a test may stop at any of them.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from graftwork.evidence.scores.student_t import quantile, two_sided

FEWEST = 5
"""Repeats below which nothing is said."""
MOST = 200
"""Repeats that anybody would wait for."""

Name = TypeVar("Name")


@dataclass(frozen=True)
class Sample:
    """differences: one a repeat, in the order of the repeats. share: rows held out over rows trained on."""

    differences: tuple[float, ...]
    share: float


@dataclass(frozen=True)
class Weighed:
    """What a sample says. repeats: that were looked at. p: over all looks so far; holm: over all comparisons.

    side: 1 above 0, -1 below, 0 not distinguishable from noise. settles: further repeats that would tell if the
    difference stays as it is; 0 where it is told, None where no number that anybody would wait for does.
    """

    repeats: int
    value: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    holm: float | None = None
    side: int = 0
    settles: int | None = None


def weigh(samples: Mapping[Name, Sample], looks: Sequence[int] = (), alpha: float = 0.05) -> dict[Name, Weighed]:
    """All samples as one family.

    looks: repeats at which the test may stop, in rising order; none: one look, now. An interval holds at 1 - alpha, or
    with looks at 1 - alpha / looks, so that all of them hold together.
    """
    seen = {name: _seen(sample, looks, alpha) for name, sample in samples.items()}
    adjusted = holm({name: 1.0 if one.p is None else one.p for name, one in seen.items()})
    still = sum(value > alpha for value in adjusted.values())
    found = {}
    for name, one in seen.items():
        if one.p is None:
            found[name] = _with(one, None, 0, _to_come(one.repeats, looks))
        elif adjusted[name] <= alpha and one.side:
            found[name] = _with(one, adjusted[name], one.side, 0)
        else:
            more = further_repeats(samples[name], looks, alpha / max(still, 1))
            found[name] = _with(one, adjusted[name], 0, more)
    return found


def holm(p_values: Mapping[Name, float]) -> dict[Name, float]:
    """Holm's adjusted p-values: those below alpha may be told together, wrong in any of them at alpha at most.

    >>> holm({"a": 0.01, "b": 0.04, "c": 0.03})
    {'a': 0.03, 'b': 0.06, 'c': 0.06}
    """
    ordered = sorted(p_values, key=lambda name: p_values[name])
    adjusted, highest = dict[Name, float](), 0.0
    for place, name in enumerate(ordered):
        highest = max(highest, min(1.0, (len(ordered) - place) * p_values[name]))
        adjusted[name] = highest
    return {name: adjusted[name] for name in p_values}


def corrected_error(differences: Sequence[float], share: float) -> float:
    """The standard error of the mean of differences over overlapping splits."""
    return math.sqrt((1 / len(differences) + share) * _variance(differences))


def further_repeats(sample: Sample, looks: Sequence[int], alpha: float, optimism: float = 0.0) -> int | None:
    """How many more repeats would tell the difference from 0 at `alpha`, if its mean and spread stay; None for none.

    optimism: standard errors by which the mean may turn out larger.
    """
    differences, n = sample.differences, len(sample.differences)
    if n < 2:
        return None
    spread = math.sqrt(_variance(differences))
    mean = abs(_mean(differences)) + optimism * corrected_error(differences, sample.share)
    planned = [look for look in looks if look > n] if looks else range(max(n + 1, FEWEST), MOST + 1)
    level = 1 - alpha / max(len(looks), 1)

    def tells(count: int) -> bool:
        return mean > quantile(level, count - 1) * spread * math.sqrt(1 / count + sample.share)

    place = bisect_left(planned, True, key=tells)  # the more repeats, the less they must differ
    return planned[place] - n if place < len(planned) else None


def _seen(sample: Sample, looks: Sequence[int], alpha: float) -> Weighed:
    """One sample by itself, side: that of the look that told most."""
    n = len(sample.differences)
    reached = [look for look in looks if look <= n] if looks else [n]
    reached = [look for look in reached if look >= FEWEST]
    if not reached:
        return Weighed(n, _mean(sample.differences) if n else None)
    shared = max(len(looks), 1)
    each = [_look(sample.differences[:look], sample.share, 1 - alpha / shared) for look in reached]
    best, last = min(each, key=lambda one: one.p or 0.0), each[-1]
    agree = best.value is not None and last.value is not None and best.value * last.value > 0
    side = (1 if last.value and last.value > 0 else -1) if agree else 0
    p = min(1.0, shared * (best.p or 0.0))
    return Weighed(last.repeats, last.value, last.low, last.high, p, side=side)


def _look(differences: Sequence[float], share: float, level: float) -> Weighed:
    n, mean, error = len(differences), _mean(differences), corrected_error(differences, share)
    if error == 0:  # every repeat scored the same with and without
        return Weighed(n, mean, mean, mean, 1.0)
    half = quantile(level, n - 1) * error
    return Weighed(n, mean, mean - half, mean + half, two_sided(mean / error, n - 1))


def _variance(differences: Sequence[float]) -> float:
    """Where all differences are the same, scores are counted in steps (of one row) that hide how they vary: the
    difference is then at least one step, and the two roundings in it vary by a sixth of its square."""
    mean = _mean(differences)
    squares = math.fsum((one - mean) ** 2 for one in differences)
    found = squares / (len(differences) - 1) if len(differences) > 1 else 0.0
    same = max(differences) - min(differences) <= 1e-9 * abs(mean)
    return mean * mean / 6 if same else found


def _mean(differences: Sequence[float]) -> float:
    return math.fsum(differences) / len(differences)


def _to_come(repeats: int, looks: Sequence[int]) -> int:
    """Repeats to the first look."""
    return max(FEWEST, next((look for look in looks if look >= FEWEST), FEWEST)) - repeats


def _with(one: Weighed, adjusted: float | None, side: int, settles: int | None) -> Weighed:
    return Weighed(one.repeats, one.value, one.low, one.high, one.p, adjusted, side, settles)
