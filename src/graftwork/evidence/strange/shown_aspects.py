"""What differs most between two tables, in a sentence."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from graftwork.evidence.strange.aspects import MISSING, NONE, OTHERS, Aspect, Measure
from graftwork.shown import shortened_text, shown_number, shown_percent

LACKING = 0.05
"""Least difference of the shares of rows without a value that is said."""


def number_words(first: Aspect, second: Aspect) -> str:
    """first, second: of the training rows and of the other ones."""
    shares = [float(np.mean(one.numbers == MISSING)) for one in (first, second)]
    subject = f"predicted {first.name}" if first.kind == "predictions" else f"'{first.name}'"
    if abs(shares[0] - shares[1]) > LACKING:
        now, before = map(_share, reversed(shares))
        return f"{now} of the rows have no {subject}, of the training rows {before}"
    known = [one.numbers[one.numbers != MISSING] for one in (first, second)]
    if not all(map(len, known)):
        return f"{subject} is there in one table alone"
    words, show = _WORDS[first.measure]
    at = _farthest(known[0], known[1])
    middle = [float(np.quantile(one, at)) for one in known]
    part = {0.25: "three quarters", 0.5: "half", 0.75: "a quarter"}[at]
    whose = words.format(subject)
    return f"{part} of the rows have {whose} above {show(middle[1])}, of the training rows above {show(middle[0])}"


def category_words(aspect: Aspect, names: Sequence[str], first: np.ndarray, second: np.ndarray) -> str:
    """first, second: rows of each category (K,) in training and in the other table."""
    shares = first / first.sum(), second / second.sum()
    at = int(np.abs(shares[1] - shares[0]).argmax())
    known = {NONE: "no value", OTHERS: "a rare or new value"}
    value = known.get(names[at], f"'{shortened_text(names[at])}'")
    now, before = _share(float(shares[1][at])), _share(float(shares[0][at]))
    if aspect.kind == "predictions":
        return f"{now} of the rows are predicted to be {value} in '{aspect.name}', of the rows held out {before}"
    return f"{now} of the rows have {value} in '{aspect.name}', of the training rows {before}"


def _farthest(first: np.ndarray, second: np.ndarray) -> float:
    """The middle, or of the quartiles the one that has moved most where the middle has moved far less."""
    spread = float(np.quantile(first, 0.9) - np.quantile(first, 0.1)) or 1.0
    moved = {at: abs(float(np.quantile(second, at) - np.quantile(first, at))) / spread for at in (0.5, 0.25, 0.75)}
    most = max(moved, key=lambda at: moved[at])
    return most if moved[most] > 2 * moved[0.5] else 0.5


def _share(share: float) -> str:
    return f"{shown_percent(share)} %"


def _date(value: float) -> str:
    return str(np.datetime64(round(value), "ms").astype("datetime64[D]"))


_WORDS: dict[Measure, tuple[str, Callable[[float], str]]] = {
    "number": ("{}", shown_number),
    "date": ("{}", _date),
    "characters": ("a text in {} with a length", lambda value: f"{value:,.0f} characters"),
    "light": ("a light of {}", _share),
    "contrast": ("a contrast of {}", _share),
    "seconds": ("a sound in {} of a length", lambda value: f"{value:.2f} seconds"),
    "loudness": ("a sound in {} of a loudness", lambda value: f"{value:.0f} dB"),
    "confidence": ("a confidence", _share),
}
