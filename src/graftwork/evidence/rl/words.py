"""Returns in words: rounded to what their intervals support."""

from __future__ import annotations

import math

from graftwork.evidence.scores.intervals import Interval
from graftwork.evidence.words import rounded, share_of
from graftwork.shown import shown_number


def return_text(value: float, spread: float = 0.0) -> str:
    """A return in whole numbers, or finer where half the width of its interval, `spread`, is less than two; to four
    digits where there is none.

    >>> return_text(497.32, 5.1), return_text(-151.27, 32.0), return_text(0.93412, 0.021), return_text(21.0)
    ('497', '-151', '0.93', '21')
    """
    if spread > 0 and math.isfinite(value):
        return rounded(value, min(1.0, 10.0 ** math.floor(math.log10(spread / 2))))
    return shown_number(float(f"{value:.4g}"))


def interval_text(found: Interval) -> str:
    """From where to where: `490 to 500`."""
    spread = (found.high - found.low) / 2
    return f"{return_text(found.low, spread)} to {return_text(found.high, spread)}"


def value_text(found: Interval) -> str:
    """The value alone, rounded by its interval."""
    return return_text(found.value, (found.high - found.low) / 2)


def both_text(found: Interval) -> str:
    """`497 (95 % interval 490 to 500)`; the value alone where nothing varies."""
    if found.low == found.high:
        return value_text(found)
    return f"{value_text(found)} (95 % interval {interval_text(found)})"


def share_text(found: Interval) -> str:
    """A share of episodes: `93 of 100 episodes (between 90 and 96)`."""
    share = share_of(found)
    return f"{share.about:,} of {share.of:,} episodes{f' ({share.between})' if share.between else ''}"
