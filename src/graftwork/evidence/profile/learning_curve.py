"""How far more rows would bring a model: a curve through the errors of smaller draws, carried on to more rows.

The error of n rows is taken for c + a n^-b (Hestness et al. 2017; Viering & Loog 2021). Its settings are not chosen but
weighed: every b and c of a grid counts by how well it explains the errors seen, and the forecast is the mixture of what
they all say, so that an open question makes the interval wide.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

SLOPES = np.linspace(0.05, 1.5, 59)
"""The b that are weighed: errors of images, texts and sounds fall with 0.1 to 1."""
FLOORS = np.linspace(0, 1, 41)
"""The c that are weighed, as shares of the lowest error seen."""
BEND = 0.015
"""How far a real curve strays from the form, as a share of the error, at each doubling away from the most rows."""
LEAST = 1e-3
"""The least deviation of a mean, of draws that happen to agree."""
LEAST_SIZES = 3
DRAWS = 20_000


@dataclass(frozen=True)
class SizeErrors:
    """The errors of models of `rows` rows, one of each draw; 0 is best."""

    rows: int
    errors: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Of all draws."""
        return float(np.mean(self.errors))


@dataclass(frozen=True)
class Forecast:
    """The error that a model of `rows` rows should have, and between what it should lie."""

    rows: int
    error: float
    low: float
    high: float


def forecasts(
    curve: Sequence[SizeErrors], rows: Sequence[int], *, level: float = 0.95, seed: int = 0
) -> list[Forecast]:
    """What models of so many rows should score, by the errors of smaller ones on the same scored rows.

    curve: by size, from few rows to many, the last one of all rows there are. level: of the intervals.
    Raises ValueError for fewer than `LEAST_SIZES` sizes, or where none was drawn more than once.
    """
    if len(curve) < LEAST_SIZES or all(len(one.errors) < 2 for one in curve):
        raise ValueError(f"A forecast needs {LEAST_SIZES} sizes, and several draws of one at least.")
    sizes, means = np.array([float(one.rows) for one in curve]), np.array([one.mean for one in curve])
    spread, last = _Spread(curve), sizes[-1]
    chance, floors, slopes, heights, unsure = _weighed(sizes / last, means, _noise(curve, spread))
    generator = np.random.default_rng(seed)
    picked = generator.choice(len(chance), DRAWS, p=chance)
    found = []
    for many in rows:
        fallen = (many / last) ** -slopes[picked]
        height = np.maximum(generator.normal(heights[picked], unsure[picked]), 0)
        doublings = math.log2(max(1.0, many / last))
        own = math.hypot(spread(float(many)), BEND * means[-1] * doublings)
        drawn = np.maximum(floors[picked] + height * fallen + generator.normal(0, own, DRAWS), 0)
        low, middle, high = np.quantile(drawn, [(1 - level) / 2, 0.5, (1 + level) / 2])
        found.append(Forecast(int(many), float(middle), float(low), float(high)))
    return found


class _Spread:
    """The standard deviation of the error of one draw of so many rows: it falls with the square root of the rows."""

    def __init__(self, curve: Sequence[SizeErrors]) -> None:
        several = [one for one in curve if len(one.errors) > 1]
        scaled = [np.var(one.errors, ddof=1) * one.rows for one in several]
        self._variance = float(np.average(scaled, weights=[one.rows for one in several]))

    def __call__(self, rows: float) -> float:
        return math.sqrt(self._variance / rows)


def _weighed(
    sizes: np.ndarray, means: np.ndarray, noise: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Of every curve of the grid: its probability, c, b, and mean and deviation of a (of sizes as shares of the most
    rows), all (G,)."""
    floors, slopes = (one.ravel() for one in np.meshgrid(FLOORS * means.min(), SLOPES))
    fallen = sizes[None, :] ** -slopes[:, None]
    weight = 1 / noise**2
    left = means[None, :] - floors[:, None]
    precision = (weight * fallen**2).sum(axis=1)
    heights = (weight * fallen * left).sum(axis=1) / precision
    missed = (weight * (left - heights[:, None] * fallen) ** 2).sum(axis=1)
    log = -missed / 2 - np.log(precision) / 2
    chance = np.exp(log - log.max())
    return chance / chance.sum(), floors, slopes, heights, 1 / np.sqrt(precision)


def _noise(curve: Sequence[SizeErrors], spread: _Spread) -> np.ndarray:
    """The standard deviation (S,) of each mean around the form. Draws share rows, the more the larger they are: all
    draws of all rows are one."""
    most = curve[-1]
    found = []
    for one in curve:
        share = one.rows / most.rows
        drawn = spread(one.rows) ** 2 * (share + (1 - share) / len(one.errors))
        bent = (BEND * one.mean * math.log2(1 / share)) ** 2
        found.append(math.sqrt(drawn + bent + LEAST**2))
    return np.array(found)
