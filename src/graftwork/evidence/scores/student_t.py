"""Student's t distribution without scipy: what a mean of few numbers can be off by.

By the incomplete beta function as a continued fraction (Lentz's method; Press et al., Numerical Recipes, 6.4).
"""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

_TINY, _CLOSE, _TERMS = 1e-300, 1e-15, 10_000
_STEPS, _STEP = 100, 1e-13


def two_sided(t: float, freedom: float) -> float:
    """How likely a value at least so far from 0 is, on either side. freedom: degrees of it, above 0.

    >>> round(two_sided(2.2622, 9), 4), two_sided(0.0, 3), two_sided(math.inf, 3)
    (0.05, 1.0, 0.0)
    """
    if math.isinf(t):
        return 0.0
    square = t * t
    if square < 1:  # where 1 - x would lose digits
        return 1 - _incomplete_beta(square / (freedom + square), 0.5, freedom / 2)
    return _incomplete_beta(freedom / (freedom + square), freedom / 2, 0.5)


@lru_cache(maxsize=10_000)
def quantile(level: float, freedom: float) -> float:
    """How far from 0 a value is in `level` of all cases at most, on either side: 0 <= level < 1.

    >>> round(quantile(0.95, 9), 4), round(quantile(0.95, 4), 4)
    (2.2622, 2.7764)
    """
    # The tail is convex and a normal quantile lies below the t's, so Newton's steps only rise, and stop at the root.
    found = NormalDist().inv_cdf((1 + level) / 2)
    front = math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2) - math.log(freedom * math.pi) / 2
    for _ in range(_STEPS):
        slope = 2 * math.exp(front - (freedom + 1) / 2 * math.log1p(found * found / freedom))
        step = (two_sided(found, freedom) - (1 - level)) / slope
        found += step
        if step <= _STEP * found:
            break
    return found


def _incomplete_beta(x: float, a: float, b: float) -> float:
    """Regularised: the share of a beta distribution below x."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    if x < (a + 1) / (a + b + 2):
        return math.exp(front) * _fraction(x, a, b) / a
    return 1 - math.exp(front) * _fraction(1 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    upper, lower = 1.0, 1 / _not_zero(1 - (a + b) * x / (a + 1))
    found = lower
    for term in range(1, _TERMS):
        twice = a + 2 * term
        even = term * (b - term) * x / ((twice - 1) * twice)
        odd = -(a + term) * (a + b + term) * x / (twice * (twice + 1))
        for step in (even, odd):
            lower = 1 / _not_zero(1 + step * lower)
            upper = _not_zero(1 + step / upper)
            found *= lower * upper
        if abs(lower * upper - 1) < _CLOSE:
            break
    return found


def _not_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
