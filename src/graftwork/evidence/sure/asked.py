"""What can be asked to be promised, checked before anything slow is loaded: coverage, error, kinds of sets."""

from __future__ import annotations

from typing import Literal

from graftwork.errors import UsageError

Method = Literal["lac", "aps"]
METHODS: tuple[Method, ...] = ("lac", "aps")
CONFIDENCE = 0.95
"""How certain an error is to be held, over the draw of the calibration rows."""


def check_coverage(coverage: float) -> None:
    """Raise UsageError unless it is between 0 and 1."""
    if not 0.0 < coverage < 1.0:
        why = "Only a set of everything holds the truth always" if coverage >= 1 else "Nothing would be promised"
        raise UsageError(f"coverage is {coverage:g}. {why}. Expected a number above 0 and below 1, such as 0.9.")


def check_error(error: float, confidence: float) -> None:
    """Raise UsageError unless both are between 0 and 1."""
    for name, value, usual in (("error", error, 0.05), ("confidence", confidence, CONFIDENCE)):
        if not 0.0 < value < 1.0:
            raise UsageError(f"{name} is {value:g}. Expected a number above 0 and below 1, such as {usual:g}.")
