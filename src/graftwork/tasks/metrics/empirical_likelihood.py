"""The interval of a mean by empirical likelihood, where weights are known to be 1 on average.

Owen 1988; for policies Karampatziakis, Langford & Mineiro 2020, "Empirical Likelihood for Contextual Bandits". A
distribution puts mass on the N rows and on corners that no row has to show, such as a rare large weight without
reward. It is as likely as the product of what it gives the rows. The interval holds the means of all distributions
whose weights are 1 on average, and of which the most likely one is not too much likelier (Wilks 1938).
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

BARRIERS = np.logspace(0, -6, 7)
"""How strongly the corners push away, in units of the values, one after the other."""
STEPS = 60
"""The most Newton steps at one of them."""
COVERED = 0.5
"""The mean of the weights below which they are suspected; one nearer to 1 may be that of rounded propensities."""
NO_CHANCE = NormalDist().inv_cdf(1 - 0.5e-6) ** 2
"""The likelihood ratio that chance exceeds once in a million (chi-square with one degree of freedom)."""


def likelihood_interval(
    weights: np.ndarray, values: np.ndarray, corners: np.ndarray, level: float
) -> tuple[float, float]:
    """From where to where the mean of the values goes.

    weights, values: of N rows, (N,). corners (C, 2): weights and values that no row has to show; all that could be lies
    between them, the rows too, and not all of their values are the same. Infinite where weights can't have a mean of 1,
    or all but surely haven't: theirs is below 0.5, which is no chance (one in a million). Their premise is wrong then.
    """
    largest = float(corners[:, 0].max())
    apart = unlikely(weights, largest)
    if apart == np.inf or (weights.mean() < COVERED and 2 * apart * len(weights) > NO_CHANCE):
        return -np.inf, np.inf
    unlike = apart + NormalDist().inv_cdf((1 + level) / 2) ** 2 / 2 / len(weights)
    return (
        least_mean(weights, values, corners, unlike),
        -least_mean(weights, -values, corners * np.array([1.0, -1.0]), unlike),
    )


def unlikely(weights: np.ndarray, largest: float) -> float:
    """How much less likely a row is, in logarithms, if weights between 0 and `largest` have a mean of 1; 0 where those
    of the rows (N,) do."""
    apart = weights - 1.0
    if largest <= 1.0:
        return np.inf if (apart < 0).any() else 0.0
    low, high = -1.0 / (largest - 1.0), 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if (apart / (1.0 + middle * apart)).sum() > 0 else (low, middle)
    return float(np.log1p((low + high) / 2 * apart).mean())


def least_mean(weights: np.ndarray, values: np.ndarray, corners: np.ndarray, unlike: float) -> float:
    """The least mean of the values whose distribution is that much less likely a row, and has weights of mean 1.

    By its dual: the largest of exp(mean of log(values + a + b * weights) - unlike) - a - b, where a + b * weights +
    values is nowhere below 0. Any (a, b) gives a bound from below, so what is left to gain makes the interval wider.
    """
    scale = float(np.ptp(corners[:, 1]))
    at = np.array([scale - corners[:, 1].min(), 0.0])
    best = _bound(weights, values, at, unlike)
    for barrier in scale / max(1.0, float(corners[:, 0].max())) * BARRIERS:
        at = _climbed(weights, values, corners, unlike, at, barrier)
        best = max(best, _bound(weights, values, at, unlike))
    return best


def _bound(weights: np.ndarray, values: np.ndarray, at: np.ndarray, unlike: float) -> float:
    room = values + at[0] + at[1] * weights
    return float(np.exp(np.log(room).mean() - unlike) - at.sum())


def _climbed(
    weights: np.ndarray, values: np.ndarray, corners: np.ndarray, unlike: float, at: np.ndarray, barrier: float
) -> np.ndarray:
    """The bound's best place (2,) from there, by Newton's method, where corners push away by barrier * log."""
    edge = np.stack([np.ones(len(corners)), corners[:, 0]])

    def height(place: np.ndarray) -> float:
        margin = corners[:, 1] + place @ edge
        room = values + place[0] + place[1] * weights
        if margin.min() <= 0 or room.min() <= 0:
            return -np.inf
        return float(np.exp(np.log(room).mean() - unlike) - place.sum() + barrier * np.log(margin).sum())

    now = height(at)
    for _ in range(STEPS):
        gradient, curvature = _slopes(weights, values + at[0] + at[1] * weights, unlike)
        pushed = edge / (corners[:, 1] + at @ edge)
        gradient = gradient + barrier * pushed.sum(axis=1)
        step = np.linalg.lstsq(curvature + barrier * pushed @ pushed.T, gradient)[0]
        gain = float(gradient @ step)
        if gain < 1e-2 * barrier:
            break
        size = 1.0
        while (then := height(at + size * step)) < now + 1e-4 * size * gain and size > 1e-12:
            size /= 2
        if then <= now:
            break
        at, now = at + size * step, then
    return at


def _slopes(weights: np.ndarray, room: np.ndarray, unlike: float) -> tuple[np.ndarray, np.ndarray]:
    """The gradient of the bound (2,), and its second derivatives with their sign turned (2, 2)."""
    parts = np.stack([1.0 / room, weights / room])
    mean = parts.mean(axis=1)
    high = float(np.exp(np.log(room).mean() - unlike))
    spread = parts - mean[:, None]
    return high * mean - 1.0, high * (spread @ spread.T) / len(room)
