"""Which pieces of a large vocabulary stand somewhere in some texts, without a trie of all of them: a trie of 250,000
pieces takes 300 MB, and a few thousand of them are in the texts of a table.

Windows of every length are compared by a hash of their characters. Two may share one, so that a piece too many may be
found, never one too few.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

WORD = "\u2581"
"""Stands for the space before a word in the pieces of a unigram tokenizer."""
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_CHARACTERS = 1 << 19
"""Looked at at a time."""


@dataclass(frozen=True)
class _Length:
    """Of one length: hashes of pieces, sorted, with their places; and of the beginnings of longer ones."""

    hashes: np.ndarray
    places: np.ndarray
    beginnings: np.ndarray


class Pieces:
    """The pieces of a vocabulary, by their place in it."""

    def __init__(self, vocabulary: Sequence[str]) -> None:
        lengths = np.fromiter(map(len, vocabulary), np.int64, len(vocabulary))
        begins, characters = lengths.cumsum() - lengths, characters_of("".join(vocabulary)).astype(np.uint64)
        longest = int(lengths.max(initial=0))
        self._lengths = list[_Length]()
        rolled = np.zeros(len(vocabulary), np.uint64)
        for at in range(longest):
            reaching = np.flatnonzero(lengths > at)
            rolled[reaching] = rolled[reaching] * _FACTOR + characters[begins[reaching] + at]
            whole, longer = np.flatnonzero(lengths == at + 1), np.flatnonzero(lengths > at + 1)
            order = whole[np.argsort(rolled[whole])]
            self._lengths.append(_Length(rolled[order], order, np.unique(rolled[longer])))

    def within(self, words: Iterable[str]) -> set[int]:
        """The places of those that stand in one of these words."""
        found, held, size = set[int](), list[str](), 0
        for word in words:
            held.append(word)
            size += len(word)
            if size > _CHARACTERS:
                found |= self._within("\n".join(held))
                held, size = [], 0
        return found | self._within("\n".join(held))

    def _within(self, text: str) -> set[int]:
        characters = characters_of(text).astype(np.uint64)
        found, starts, rolled = set[int](), np.arange(len(characters)), np.zeros(len(characters), np.uint64)
        for at, length in enumerate(self._lengths):
            inside = starts + at < len(characters)
            starts = starts[inside]
            rolled = rolled[inside] * _FACTOR + characters[starts + at]
            found.update(length.places[_places(length.hashes, rolled)].tolist())
            alive = _is_in(length.beginnings, rolled)
            starts, rolled = starts[alive], rolled[alive]
        return found


def characters_of(text: str) -> np.ndarray:
    """The numbers of its characters (N,), uint32."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")


def words_of(text: str) -> set[str]:
    """What stands between spaces, as pieces are cut from it."""
    return {WORD + word for word in (*text.split(" "), *text.split())}


def _is_in(ordered: np.ndarray, values: np.ndarray) -> np.ndarray:
    if not len(ordered):
        return np.zeros(len(values), bool)
    at = np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)
    found: np.ndarray = ordered[at] == values
    return found


def _places(ordered: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Where in `ordered` the values stand that do."""
    seen = np.unique(values[_is_in(ordered, values)])
    first, behind = (np.searchsorted(ordered, seen, side) for side in ("left", "right"))
    return np.concatenate([np.arange(a, b) for a, b in zip(first, behind, strict=True)] or [np.zeros(0, np.int64)])
