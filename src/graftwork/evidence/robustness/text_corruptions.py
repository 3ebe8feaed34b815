"""Corruptions of texts: typing errors, and letters in the wrong case.

Each takes a text, a severity from 1 to 5 and a random stream. Words are what stands between spaces; a text without
spaces is one word of which as many letters are changed.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

TextCorruption = Callable[[str, int, np.random.Generator], str]
_TYPOS = (0.05, 0.1, 0.2, 0.3, 0.5)
_CASES = (0.05, 0.1, 0.25, 0.5, 1.0)
_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_LETTERS_A_WORD = 6


def typos(text: str, severity: int, draws: np.random.Generator) -> str:
    """One word in twenty to one in two has a typing error: letters swapped, left out, doubled, or a key beside it."""
    share, words = _TYPOS[severity - 1], text.split(" ")
    return " ".join(_mistyped(word, share, draws) for word in words)


def _mistyped(word: str, share: float, draws: np.random.Generator) -> str:
    for _ in range(max(1, round(len(word) / _LETTERS_A_WORD)) if word else 0):
        if draws.random() < share and len(word) > 1:
            word = _one_error(word, int(draws.integers(len(word))), int(draws.integers(4)), draws)
    return word


def _one_error(word: str, at: int, kind: int, draws: np.random.Generator) -> str:
    if kind == 0:
        at = min(at, len(word) - 2)
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if kind == 1:
        return word[:at] + word[at + 1 :]
    if kind == 2:
        return word[: at + 1] + word[at:]
    return word[:at] + _beside(word[at], draws) + word[at + 1 :]


def _beside(letter: str, draws: np.random.Generator) -> str:
    """A key next to this one; the letter itself where it stands on no key."""
    row = next((keys for keys in _KEYS if letter.lower() in keys), "")
    if not row:
        return letter
    place = row.index(letter.lower())
    near = [row[at] for at in (place - 1, place + 1) if 0 <= at < len(row)]
    found = near[int(draws.integers(len(near)))]
    return found.upper() if letter.isupper() else found


def case(text: str, severity: int, draws: np.random.Generator) -> str:
    """One letter in twenty to half of them in the other case; at severity 5 the whole text in capitals."""
    share = _CASES[severity - 1]
    if share == 1.0:
        return text.upper()
    flips = draws.random(len(text)) < share
    return "".join(letter.swapcase() if flip else letter for letter, flip in zip(text, flips, strict=True))


TEXT_CORRUPTIONS: dict[str, TextCorruption] = {"typos": typos, "case": case}
