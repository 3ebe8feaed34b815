"""Which pieces that texts don't hold are likely in others like them: those that are common in all, and whose letters
follow each other as in the pieces that the texts do hold.

A unigram model knows how common a piece is in all its languages together. Of two as common ones that is likelier whose
letters, by threes, are more usual in the texts than in the vocabulary: so languages of one script are told apart.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from graftwork.networks.hub.pieces import characters_of

WEIGHT = 0.45
"""Of what the letters say beside how common a piece is: each of them stands in three groups."""
_PRIOR = 2.0
"""Pieces that a group of letters counts as seen before in the texts, as the vocabulary has it."""
_BEGIN, _END = "\x02", "\x03"
_BITS = np.int64(21)


def likeliest(
    vocabulary: Sequence[tuple[str, float]], used: Mapping[int, int], others: Collection[int], count: int
) -> list[int]:
    """So many of `others`, the likeliest. used: what the texts hold, with how often."""
    if count <= 0 or not others:
        return []
    ids = np.array(sorted({*used, *others}))
    scores = np.array([vocabulary[number][1] for number in ids.tolist()])
    seen = np.array([used.get(number, 0) for number in ids.tolist()], float)
    owners, groups, before = _groups([vocabulary[number][0] for number in ids.tolist()])
    usual = _conditional(groups, before, np.exp(scores)[owners])
    here = _conditional(groups, before, seen[owners], _PRIOR, usual)
    worth = scores + WEIGHT * np.bincount(owners, np.log(here / usual), len(ids))
    left = np.flatnonzero(np.isin(ids, np.array(list(others))))
    order = left[np.lexsort((ids[left], -worth[left]))]
    return [int(number) for number in ids[order[:count]]]


def _groups(pieces: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every three characters that follow each other in a piece, its ends included: of which piece, which three, and
    which the first two of them are; numbered."""
    told = characters_of("".join(f"{_BEGIN}{_BEGIN}{piece}{_END}" for piece in pieces)).astype(np.int64)
    ends = np.flatnonzero(told != ord(_BEGIN))
    two = (told[ends - 2] << _BITS) | told[ends - 1]
    _, before = np.unique(two, return_inverse=True)
    _, groups = np.unique((two << _BITS) | told[ends], return_inverse=True)
    owners = np.repeat(np.arange(len(pieces)), [len(piece) + 1 for piece in pieces])
    return owners, groups, before


def _conditional(
    groups: np.ndarray, before: np.ndarray, weights: np.ndarray, prior: float = 0.0, usual: np.ndarray | float = 0.0
) -> np.ndarray:
    """How probable the third character of each group is behind the other two (N,)."""
    three, two = np.bincount(groups, weights)[groups], np.bincount(before, weights)[before]
    found: np.ndarray = (three + prior * usual) / (two + prior)
    return found
