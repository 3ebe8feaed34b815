"""Learning curves and final returns with intervals: interquartile means, bootstrapped over seeds and episodes.

The interquartile mean (IQM) leaves out the lowest and the highest quarter of all episodes of all seeds: it is less
moved by a lucky or unlucky one than the mean, and uses more of them than the median (Agarwal et al. 2021, "Deep
Reinforcement Learning at the Edge of the Statistical Precipice"). Intervals are percentiles of a stratified bootstrap:
seeds are drawn with replacement, and of each drawn seed its episodes (Davison and Hinkley 1997, section 3.8), since
episodes of one seed are not independent. Of a single seed only episodes are drawn: its interval says nothing of others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from graftwork.evidence.rl.scored import SeedRun
from graftwork.evidence.scores.intervals import Interval, percentiles, wilson_bound

RESAMPLES = 2000
LEVEL = 0.95

Strata = Sequence[Sequence[float]]
"""By seed, a number an episode."""
Statistic = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Of numbers (R, N), each row sorted, of which the first counts (R,) are there, a statistic a row (R,)."""


@dataclass(frozen=True)
class Point:
    """A point of a learning curve. seeds: that it is made of."""

    step: int
    iqm: Interval
    seeds: int


def learning_curve(runs: Sequence[SeedRun], *, seed: int = 0, resamples: int = RESAMPLES) -> tuple[Point, ...]:
    """The interquartile mean of the returns by step of learning.

    Seeds that were evaluated at other steps than the rest count with their newest evaluation before each step, and no
    longer than they learned.
    """
    steps = sorted({one.step for run in runs for one in run.scored})
    points = []
    for step in steps:
        there = [found.returns for found in (run.at(step) for run in runs) if found is not None]
        points.append(Point(step, iqm_interval(there, seed=seed, resamples=resamples), len(there)))
    return tuple(points)


def iqm_interval(returns: Strata, *, seed: int = 0, resamples: int = RESAMPLES) -> Interval:
    """The interquartile mean over all seeds and episodes with its 95 % interval. returns: by seed, one an episode."""
    return _interval(returns, trimmed_mean, seed, resamples)


def mean_interval(values: Strata, *, seed: int = 0, resamples: int = RESAMPLES) -> Interval:
    """The mean over all episodes with its 95 % interval."""
    return _interval(values, plain_mean, seed, resamples)


def share_interval(successes: Sequence[Sequence[bool]], *, seed: int = 0, resamples: int = RESAMPLES) -> Interval:
    """The share of episodes that succeeded. Where all or none did, no draw differs: Wilson's bound (1927) instead."""
    found = mean_interval([[float(one) for one in of] for of in successes], seed=seed, resamples=resamples)
    if found.value in (0.0, 1.0):
        bound = float(wilson_bound(np.array([sum(map(len, successes))]), LEVEL)[0])
        return Interval(found.value, *((bound, 1.0) if found.value else (0.0, 1 - bound)))
    return found


def gain_interval(later: Strata, earlier: Strata, *, seed: int = 0, resamples: int = RESAMPLES) -> Interval:
    """By how much the interquartile mean grew between two evaluations of the same seeds; draws take the same seeds of
    both, and episodes of each by themselves."""
    generator = np.random.default_rng(seed)
    seeds = _drawn_seeds(len(later), resamples, generator)
    drawn = [trimmed_mean(*_drawn(values, seeds, generator)) for values in (later, earlier)]
    value = iqm(_all(later)) - iqm(_all(earlier))
    return Interval(value, *percentiles(value, drawn[0] - drawn[1], LEVEL))


def lead_interval(ours: Strata, theirs: Strata, *, seed: int = 0, resamples: int = RESAMPLES) -> Interval:
    """By how much the interquartile mean of `ours` exceeds that of `theirs`, whose seeds have nothing in common."""
    generator = np.random.default_rng(seed)
    drawn = [
        trimmed_mean(*_drawn(values, _drawn_seeds(len(values), resamples, generator), generator))
        for values in (ours, theirs)
    ]
    value = iqm(_all(ours)) - iqm(_all(theirs))
    return Interval(value, *percentiles(value, drawn[0] - drawn[1], LEVEL))


def iqm(values: np.ndarray) -> float:
    """The mean of what is left of N numbers without the N // 4 smallest and the N // 4 largest.

    >>> iqm(np.array([0.0, 1.0, 2.0, 3.0, 100.0]))
    2.0
    """
    return float(trimmed_mean(np.sort(values)[None], np.array([len(values)]))[0])


def trimmed_mean(ordered: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The same of each row (R,). ordered (R, N): each row sorted. counts (R,): of how many numbers; the rest is NaN."""
    cut, place = (counts // 4)[:, None], np.arange(ordered.shape[1])[None]
    kept = (place >= cut) & (place < counts[:, None] - cut)
    found: np.ndarray = np.where(kept, ordered, 0.0).sum(axis=1) / kept.sum(axis=1)
    return found


def plain_mean(ordered: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The mean of each row (R,); arguments as of `trimmed_mean`."""
    there = np.arange(ordered.shape[1])[None] < counts[:, None]
    found: np.ndarray = np.where(there, ordered, 0.0).sum(axis=1) / counts
    return found


def _interval(values: Strata, statistic: Statistic, seed: int, resamples: int) -> Interval:
    """Raises ValueError where there is no episode."""
    whole = _all(values)
    if not len(whole):
        raise ValueError("There is no episode to take the mean of.")
    values = [of for of in values if len(of)]
    generator = np.random.default_rng(seed)
    drawn = statistic(*_drawn(values, _drawn_seeds(len(values), resamples, generator), generator))
    value = float(statistic(np.sort(whole)[None], np.array([len(whole)]))[0])
    return Interval(value, *percentiles(value, drawn, LEVEL))


def _all(values: Strata) -> np.ndarray:
    return np.concatenate([np.asarray(of, dtype=np.float64) for of in values]) if len(values) else np.zeros(0)


def _drawn_seeds(seeds: int, resamples: int, generator: np.random.Generator) -> np.ndarray:
    """By draw, which seeds (R, S)."""
    return generator.integers(seeds, size=(resamples, seeds))


def _drawn(values: Strata, seeds: np.ndarray, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """By draw, the episodes (R, S * E), sorted, and how many they are; behind them NaN where seeds have fewer than the
    longest."""
    lengths = np.array([len(of) for of in values])
    padded = np.full((len(values), int(lengths.max())), np.nan)
    for at, of in enumerate(values):
        padded[at, : len(of)] = of
    counts = lengths[seeds]
    picked = (generator.random((*seeds.shape, padded.shape[1])) * counts[:, :, None]).astype(np.int64)
    episodes = padded[seeds[:, :, None], picked]
    episodes[np.arange(padded.shape[1]) >= counts[:, :, None]] = np.nan
    return np.sort(episodes.reshape(len(seeds), -1), axis=1), counts.sum(axis=1)
