"""Texts that are nearly the same: of the pieces of five signs that two texts have, most are in both.

Pairs that may be alike are found without comparing all with all: each text gets a short signature by one permutation
of its pieces (Li, Owen and Zhang 2012, gaps filled as Shrivastava 2017 does), and texts that agree in a part of it are
held against each other piece by piece (Broder 1997).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

ALIKE, SHORT, SHORT_ALIKE = 0.8, 100, 0.9
"""Share of the pieces of two texts together that both have (Jaccard), from which they are nearly the same; of texts of
up to 100 signs it is 0.9, since a frame that many of them share is most of a short text."""
SHORTEST = 20
"""Signs of a text; two shorter ones are the same or not."""
_PIECE, _LONGEST = 5, 10_000
_BINS, _PART = 64, 4
"""Numbers of a signature, and how many of them have to agree: two texts that are 0.8 alike do so somewhere in 16 parts
99.9 times of 100."""
_CHUNK = 4_000_000
"""Signs that are worked on at once."""
_SURE = 0.25
"""How far below `ALIKE` the signatures of two texts that are as alike may lie."""
_BETWEEN = re.compile(r"[\W_]+")
_EMPTY = np.uint64(2**64 - 1)


@dataclass(frozen=True)
class Pairs:
    """first, second: rows that are nearly the same (M,), first < second, each pair once. alike: how much so (M,)."""

    first: np.ndarray
    second: np.ndarray
    alike: np.ndarray


def near_texts(texts: Sequence[str], others: np.ndarray | None = None) -> Pairs:
    """Pairs of texts (N,) that are nearly or, apart from case and the signs between words, entirely the same.

    others: a number for what else a row holds (N,); rows with different ones are never a pair. Of many texts that are
    all alike, each is in a pair with one before it, not with all. The first 10,000 signs of a text are looked at.
    """
    plain = [_BETWEEN.sub(" ", text[:_LONGEST].casefold()).strip() for text in texts]
    kinds = np.zeros(len(plain), np.int64) if others is None else np.asarray(others, np.int64)
    first_of: dict[tuple[str, int], int] = {}
    same, single = [], []
    for at, text in enumerate(plain):
        if len(text) < SHORTEST:
            continue
        before = first_of.setdefault((text, int(kinds[at])), at)
        if before == at:
            single.append(at)
        else:
            same.append((before, at, 1.0))
    rows = np.array(single, np.int64)
    found = [*same, *_verified(plain, rows, kinds)]
    found.sort(key=lambda pair: (pair[1], pair[0]))
    first, second, alike = zip(*found, strict=True) if found else ((), (), ())
    return Pairs(np.array(first, np.int64), np.array(second, np.int64), np.array(alike, np.float64))


def likeness(one: str, other: str) -> float:
    """Share of the pieces of both texts that both have.

    >>> likeness("where is my new card", "where is my new card"), likeness("where is my card", "no")
    (1.0, 0.0)
    """
    first, second = _pieces(one), _pieces(other)
    return len(first & second) / max(1, len(first | second))


def _pieces(text: str) -> frozenset[str]:
    return frozenset(text[at : at + _PIECE] for at in range(max(1, len(text) - _PIECE + 1)))


def _verified(plain: Sequence[str], rows: np.ndarray, kinds: np.ndarray) -> Iterator[tuple[int, int, float]]:
    if len(rows) < 2:
        return
    signatures = _signatures([plain[at] for at in rows])
    first, second = _candidates(signatures, kinds[rows])
    pieces: dict[int, frozenset[str]] = {}
    for one, other in zip(first.tolist(), second.tolist(), strict=True):
        agree = np.count_nonzero(signatures[one] == signatures[other]) / _BINS
        if agree < ALIKE - _SURE:
            continue
        a, b = int(rows[one]), int(rows[other])
        for at in (a, b):
            if at not in pieces:
                pieces[at] = _pieces(plain[at])
        common = len(pieces[a] & pieces[b])
        alike = common / (len(pieces[a]) + len(pieces[b]) - common)
        if alike >= (ALIKE if min(len(plain[a]), len(plain[b])) > SHORT else SHORT_ALIKE):
            yield a, b, alike


def _candidates(signatures: np.ndarray, kinds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of rows that agree in a part of their signatures: each with the first and with the last one before it."""
    rows, found = len(signatures), list[np.ndarray]()
    for start in range(0, _BINS, _PART):
        key = _mixed(kinds.astype(np.uint64))
        for column in range(start, start + _PART):
            key = _mixed(key ^ signatures[:, column])
        order = np.argsort(key, kind="stable")
        ordered = key[order]
        again = np.concatenate([[False], ordered[1:] == ordered[:-1]])
        begin = np.maximum.accumulate(np.where(again, 0, np.arange(rows)))
        at = np.flatnonzero(again)
        for before in (order[begin[at]], order[at - 1]):
            found.append(before * rows + order[at])
    pairs = np.unique(np.concatenate(found))
    return pairs // rows, pairs % rows


def _signatures(texts: Sequence[str]) -> np.ndarray:
    """Of each text, in each of 64 bins the least of the hashes of its pieces that fall there (N, 64)."""
    found = np.full((len(texts), _BINS), _EMPTY, np.uint64)
    for start, end in pairwise(_chunks(texts)):
        joined = "".join(texts[start:end])
        signs = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
        lengths = np.array([len(text) for text in texts[start:end]], np.int64)
        hashes = signs[: len(signs) - _PIECE + 1].copy()
        for step in range(1, _PIECE):
            hashes = hashes * np.uint64(1_000_003) + signs[step : len(signs) - _PIECE + 1 + step]
        hashes = _mixed(hashes)
        left = np.concatenate([np.arange(length, 0, -1) for length in lengths])[: len(hashes)]
        whole = left >= _PIECE
        row = np.repeat(np.arange(start, end), lengths)[: len(hashes)][whole]
        hashes = hashes[whole]
        places = row * _BINS + (hashes >> np.uint64(58)).astype(np.int64)
        np.minimum.at(found.reshape(-1), places, hashes)
    return _filled(found)


def _chunks(texts: Sequence[str]) -> list[int]:
    """Where chunks of texts begin, and the end of the last one."""
    edges, size = [0], 0
    for at, text in enumerate(texts):
        size += len(text)
        if size > _CHUNK and at > edges[-1]:
            edges.append(at)
            size = len(text)
    return [*edges, len(texts)]


def _filled(found: np.ndarray) -> np.ndarray:
    """Bins that no piece fell into get the number of another one, the same one in all texts that have it."""
    draw, empty = np.random.default_rng(0), found == _EMPTY
    row, column = np.nonzero(empty)
    filled = found.copy()
    for _ in range(40 * _BINS):
        if not len(row):
            break
        taken = draw.permutation(_BINS)[column]
        there = ~empty[row, taken]
        filled[row[there], column[there]] = _mixed(found[row[there], taken[there]] ^ column[there].astype(np.uint64))
        row, column = row[~there], column[~there]
    return filled


def _mixed(values: np.ndarray) -> np.ndarray:
    """Numbers of 64 bits, each bit of which depends on all of the given ones (Steele, Lea and Flood 2014)."""
    mixed = values + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    result: np.ndarray = mixed ^ (mixed >> np.uint64(31))
    return result
