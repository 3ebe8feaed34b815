"""Scores in words for a reader without statistics: shares as "93 of 100", amounts rounded to what is known of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from graftwork.evidence.scores.intervals import Interval
from graftwork.shown import shortened_text, shown_line, shown_number

FEW_ROWS = 100
"""With fewer rows a share is told as the count it is, and what may be expected apart from it."""


@dataclass(frozen=True)
class Share:
    """A share as whole numbers `of` 100, or of 1,000 where its interval is that narrow; low <= about <= high <= of."""

    about: int
    low: int
    high: int
    of: int

    @property
    def between(self) -> str:
        """`between 92 and 94`; `at least 98` where all may be; nothing where both ends are the same."""
        if self.low == self.high:
            return ""
        if self.high == self.of:
            return f"at least {self.low:,}"
        return f"at most {self.high:,}" if self.low == 0 else f"between {self.low:,} and {self.high:,}"


def share_of(interval: Interval) -> Share:
    """A share with its interval in whole numbers that do not hide what is known.

    >>> share_of(Interval(0.931, 0.92, 0.94))
    Share(about=93, low=92, high=94, of=100)
    >>> share_of(Interval(0.9967, 0.991, 0.9998)).of
    1000
    """
    for of in (100, 1000):
        about, low, high = (round(of * value) for value in (interval.value, interval.low, interval.high))
        found = Share(about, low, high, of)
        hides = found.about in (0, of) and 0 < interval.value < 1
        if not hides and found.low != found.high:
            break
    return found


def of_hundred(share: float) -> str:
    """A share without an interval, to be read behind "in": `3 of 100 tries`.

    >>> of_hundred(0.034), of_hundred(0.0), of_hundred(0.002), of_hundred(1.0), of_hundred(0.999)
    ('3 of 100', 'none', '2 of 1,000', 'all', '999 of 1,000')
    """
    if share in (0.0, 1.0):
        return "all" if share else "none"
    of = next((of for of in (100, 1000, 10_000) if 0 < round(of * share) < of), None)
    if of is None:
        return "fewer than 1 of 10,000" if share < 0.5 else "nearly all"
    return f"{round(of * share):,} of {of:,}"


def part(count: int, whole: int) -> str:
    """The same of a count, which is told as it is where it is of few.

    >>> part(37, 46), part(370, 460)
    ('37 of 46', '80 of 100')
    """
    return f"{count:,} of {whole:,}" if whole < FEW_ROWS else of_hundred(count / whole)


def amount(value: float, interval: Interval | None = None) -> str:
    """An amount in the target's own unit, rounded to what its interval supports, three digits at most; to two without.

    >>> amount(47123.4, Interval(47123.4, 45200, 49100)), amount(0.51734), amount(20914.2)
    ('47,000', '0.52', '21,000')
    """
    if not math.isfinite(value) or value == 0:
        return shown_number(value)
    first = 10.0 ** math.floor(math.log10(abs(value)))
    step = first / 10
    if interval is not None and interval.high > interval.low:
        spread = (interval.high - interval.low) / 2
        step = min(first, 10.0 ** math.floor(math.log10(spread)))
        step = max(step, first / 100)
    return rounded(value, step)


def duration(seconds: float) -> str:
    """Seconds for people.

    >>> duration(0.42), duration(38.2), duration(250), duration(7300)
    ('0.4 s', '38 s', '4 min 10 s', '2 h 1 min')
    """
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, left = divmod(minutes, 60)
    if hours:
        return f"{hours} h {left} min"
    parts = [f"{minutes} min" if minutes else "", f"{rest} s" if rest or not minutes else ""]
    return " ".join(filter(None, parts))


def sentence(text: str) -> str:
    """A text that begins with a capital and ends with a full stop."""
    whole = text.strip()
    ended = whole if whole.endswith((".", "!", "?", "…")) else f"{whole}."
    return ended[:1].upper() + ended[1:]


def line(text: str, most: int | None = None) -> str:
    """A text from the data on one line, at most so many characters long.

    >>> line("two\\n lines"), line("a very long name", 8)
    ('two lines', 'a very …')
    """
    whole = shown_line(" ".join(str(text).split()))
    return whole if most is None else shortened_text(whole, most)


def quoted(text: str, most: int = 60) -> str:
    """A name from the data within a sentence.

    >>> quoted("card  arrival")
    "'card arrival'"
    """
    return f"'{line(text, most)}'"


def listed(names: list[str] | tuple[str, ...], most: int = 5) -> str:
    """Names in a sentence, the last ones as a count.

    >>> listed(["a", "b"]), listed(["a", "b", "c", "d"], most=2)
    ("'a' and 'b'", "'a', 'b' and 2 more")
    """
    shown = [quoted(name) for name in names[: most if len(names) > most else len(names)]]
    left = len(names) - len(shown)
    if left:
        return f"{', '.join(shown)} and {left:,} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)


def rounded(value: float, step: float) -> str:
    """A number to the nearest multiple of a power of ten, written out.

    >>> rounded(47123.4, 1000), rounded(0.51734, 0.01), rounded(12.0, 0.1)
    ('47,000', '0.52', '12.0')
    """
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    return f"{round(value / step) * step:,.{digits}f}"
