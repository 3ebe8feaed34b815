"""Checks of settings, so that every technique refuses a wrong number in the same words."""

from __future__ import annotations

import math

from graftwork.errors import UsageError


def check_range(technique: str, setting: str, value: float, low: float, high: float, *, below: bool = False) -> None:
    """Raise UsageError unless `low <= value <= high`; with `below`, `value < high`.

    >>> check_range("mixup", "alpha", -1.0, 0.0, math.inf)
    Traceback (most recent call last):
        ...
    graftwork.errors.UsageError: mixup: alpha is -1.0. Expected a number of at least 0.
    """
    fits = low <= value < high if below else low <= value <= high
    if not (math.isfinite(value) and fits):
        expected = f"a number of at least {low:g}"
        if math.isfinite(high):
            expected = f"a number from {low:g} to {'below ' if below else ''}{high:g}"
        raise UsageError(f"{technique}: {setting} is {value}. Expected {expected}.")
