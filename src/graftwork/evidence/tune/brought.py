"""What a technique brought to the trials of a tune, as far as they can tell: from those with and without it.

A tune searches, it does not compare: few of its trials differ in one technique alone, and each was trained once. What
an ablation says is firmer (`graft ablate`).
"""

from __future__ import annotations

import itertools
import json
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from graftwork.evidence.scores.intervals import Interval, percentiles
from graftwork.evidence.tune.base_name import base_name
from graftwork.evidence.tune.resampled import FEWEST_DRAWS, Resampled
from graftwork.evidence.tune.trials import Trial

Basis = Literal["pairs", "settings differ", "all differs", "never apart"]
"""pairs: trials that differ in it alone. settings differ: of the same base, head and other techniques, but other
settings, such as the learning rate. all differs: searched trials with it and without it, where each was first scored,
before any was stopped for being behind. never apart: none of these kinds."""
_LEAST = 2


@dataclass(frozen=True)
class Brought:
    """name: of the technique. trials: that had it, whatever came of them. pairs: compared. gain: how much better with
    it than without it, the mean over pairs, or of means; more is better. interval: 95 %, of pairs that differ in it
    alone: what other judged rows could change, not what another training run could. helped: pairs in which it scored
    better.
    """

    name: str
    basis: Basis
    trials: int
    pairs: int = 0
    gain: float | None = None
    interval: Interval | None = None
    helped: int = 0


def brought(trials: Sequence[Trial], found: Resampled | None = None) -> tuple[Brought, ...]:
    """Of every technique that some trial had and another had not, the most gain first, what is not known last."""
    own = [one for one in trials if one.origin != "combined"]
    finished = [one for one in own if one.state == "finished" and one.score is not None]
    names = sorted({name for one in own for name in names_of(one)})
    told = [_brought(name, own, finished, found) for name in names if any(name not in names_of(one) for one in own)]
    return tuple(sorted(told, key=lambda one: (one.gain is None, -(one.gain or 0.0))))


def names_of(trial: Trial) -> tuple[str, ...]:
    """The names of its techniques, without their settings.

    >>> names_of(Trial(0, "", "searched", "finished", {}, techniques=("lora:rank=16", "ema")))
    ('lora', 'ema')
    """
    return tuple(one.partition(":")[0] for one in trial.techniques)


def _brought(name: str, own: Sequence[Trial], finished: Sequence[Trial], found: Resampled | None) -> Brought:
    tried = sum(name in names_of(one) for one in own)
    levels: tuple[tuple[Basis, Callable[[Trial, str], Hashable]], ...] = (
        ("pairs", _all_else),
        ("settings differ", _kind),
    )
    for basis, alike in levels:
        pairs = _pairs(name, finished, alike)
        if not pairs:
            continue
        gains = [_score(one) - _score(other) for one, other in pairs]
        interval = _interval(pairs, found) if basis == "pairs" and found is not None else None
        helped = sum(gain > 0 for gain in gains)
        return Brought(name, basis, tried, len(pairs), float(np.mean(gains)), interval, helped)
    return _at_first(name, own, tried)


def _at_first(name: str, own: Sequence[Trial], tried: int) -> Brought:
    """By the first scores of searched trials: those of all that were begun, whether or not they were gone on with."""
    first = [(one, one.rungs[0][1]) for one in own if one.origin == "searched" and one.steps and one.rungs]
    with_it = [score for one, score in first if name in names_of(one)]
    without = [score for one, score in first if name not in names_of(one)]
    if min(len(with_it), len(without)) < _LEAST:
        return Brought(name, "never apart", tried)
    gain = float(np.mean(with_it) - np.mean(without))
    return Brought(name, "all differs", tried, min(len(with_it), len(without)), gain)


def _pairs(name: str, trials: Sequence[Trial], alike: Callable[[Trial, str], Hashable]) -> list[tuple[Trial, Trial]]:
    """Trials with it and without it that are alike in all else."""
    groups = defaultdict[Hashable, tuple[list[Trial], list[Trial]]](lambda: ([], []))
    for one in trials:
        groups[alike(one, name)][name not in names_of(one)].append(one)
    return [pair for with_it, without in groups.values() for pair in itertools.product(with_it, without)]


def _all_else(one: Trial, name: str) -> Hashable:
    rest = {key: value for key, value in one.recipe.items() if key != "techniques"}
    others = sorted(each for each in one.techniques if each.partition(":")[0] != name)
    return json.dumps([one.base, rest, others, one.steps], sort_keys=True, default=str)


def _kind(one: Trial, name: str) -> Hashable:
    others = tuple(sorted(each for each in names_of(one) if each != name))
    return base_name(one.base), str(one.recipe.get("head", "")), others, one.steps > 0


def _interval(pairs: Sequence[tuple[Trial, Trial]], found: Resampled) -> Interval | None:
    known = set(found.numbers)
    numbers = [(one.number, other.number) for one, other in pairs]
    if len(found.drawn) < FEWEST_DRAWS or not all(known.issuperset(pair) for pair in numbers):
        return None
    places = np.array([[found.numbers.index(number) for number in pair] for pair in numbers])
    value = float(np.mean(found.values[places[:, 0]] - found.values[places[:, 1]]))
    drawn = (found.drawn[:, places[:, 0]] - found.drawn[:, places[:, 1]]).mean(axis=1)
    return Interval(value, *percentiles(value, drawn, 0.95))


def _score(one: Trial) -> float:
    return one.score or 0.0
