"""Where a model is worse than on the whole: groups of rows whose answers are wrong more often, or further off.

Each group is held against all other rows by a one-sided test: Fisher's exact test (1935) where an answer is right or
wrong, the rank sum (Wilcoxon 1945, with ties) where it is off by some amount. All groups are looked at, so the p-values
are corrected for their number (Holm 1979): of all tables in which no group is worse, at most 5 % show one here, however
many columns they have. Where rows belong together (photos of one person), the error of a mean is taken over these
(Liang and Zeger 1986), since rows of one are no evidence of their own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from graftwork.evidence.slices.partition import Kind, Partition, where

ALPHA = 0.05
FEWEST_ROWS = 20
"""Of a group, and of the rest; of rows that belong together so many sets of them."""
_WORSE = 1.25
"""So many times as bad as all rows, so that it is worth a reader's time."""
_SAME = 0.8
"""Groups of which this share of all their rows is in both are told once."""
_SHOWN = 10
"""Rows of a group that are named."""


@dataclass(frozen=True)
class Slice:
    """Rows of one group, in which a model is worse.

    kind, column, value: by what they are told apart. rows: how many were scored. bad: the share that is wrong, or how
    far off they are on average; rest, overall: the same of the other rows, and of all. p: of such a difference by
    chance, corrected for all groups that were looked at. worst: numbers of its rows, the worst first. same: other names
    of nearly the same rows.
    """

    kind: Kind
    column: str
    value: str
    rows: int
    bad: float
    rest: float
    overall: float
    p: float
    worst: tuple[int, ...] = ()
    same: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """`'city' is 'Bern'`."""
        return where(self.kind, self.column, self.value)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data."""
        found = {
            name: getattr(self, name) for name in ("kind", "column", "value", "rows", "bad", "rest", "overall", "p")
        }
        return {**found, "worst": list(self.worst), "same": list(self.same)}


@dataclass(frozen=True)
class Search:
    """What a search for worse slices came to: those it found, the worst first, and how many groups it looked at."""

    found: tuple[Slice, ...] = ()
    looked_at: int = 0

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {"looked_at": self.looked_at, "found": [one.to_json() for one in self.found]}


def worse_slices(
    partitions: Sequence[Partition],
    bad: np.ndarray,
    numbers: np.ndarray,
    *,
    together: np.ndarray | None = None,
    size: np.ndarray | None = None,
    alpha: float = ALPHA,
) -> Search:
    """bad (N,): 1 where an answer is wrong and 0 where it is right, or how far off it is. numbers (N,): of the rows in
    their source. together (N,): rows of one number belong together, -1 for none. size (N,): by which the rows to look
    at are ordered, `bad` where left out."""
    groups = [
        (partition, at, partition.codes == at)
        for partition in partitions
        for at in range(len(partition.groups))
        if min(int((partition.codes == at).sum()), len(bad) - int((partition.codes == at).sum())) >= FEWEST_ROWS
    ]
    if not groups or not len(bad):
        return Search()
    binary = bool(np.isin(bad, (0.0, 1.0)).all())
    if together is not None:
        sets = np.where(together < 0, together.max(initial=0) + 1 + np.arange(len(bad)), together)
        raw = [_of_sets(bad if binary else _ranks(bad), mask, sets) for _, _, mask in groups]
    elif binary:
        logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, len(bad) + 1)))])
        raw = [_fisher(logs, bad, mask) for _, _, mask in groups]
    else:
        ranks = _ranks(bad)
        raw = [_rank_sum(ranks, mask) for _, _, mask in groups]
    overall, worst_first = float(bad.mean()), np.argsort(-(bad if size is None else size), kind="stable")
    found = []
    for (partition, at, mask), p in zip(groups, _holm(np.array(raw)).tolist(), strict=True):
        mean = float(bad[mask].mean())
        if p >= alpha or mean < _WORSE * overall:
            continue
        rows = [int(numbers[row]) for row in worst_first[mask[worst_first]].tolist()[:_SHOWN] if bad[row] > 0]
        rest, name = float(bad[~mask].mean()), partition.groups[at]
        one = Slice(partition.kind, partition.name, name, int(mask.sum()), mean, rest, overall, p, tuple(rows))
        found.append((one, mask))
    return Search(_told_once(sorted(found, key=lambda each: -each[0].bad)), len(groups))


def _told_once(found: Sequence[tuple[Slice, np.ndarray]]) -> tuple[Slice, ...]:
    """Of slices with nearly the same rows the first, with the names of the others."""
    kept = list[tuple[Slice, np.ndarray]]()
    for one, mask in found:
        for at, (before, other) in enumerate(kept):
            if (mask & other).sum() >= _SAME * (mask | other).sum():
                kept[at] = (replace(before, same=(*before.same, one.where)), other)
                break
        else:
            kept.append((one, mask))
    return tuple(one for one, _ in kept)


def _fisher(logs: np.ndarray, bad: np.ndarray, mask: np.ndarray) -> float:
    """The chance of as many wrong rows among these, were the wrong ones drawn blindly. logs: of the factorials."""
    every, wrong, rows, here = len(bad), int(bad.sum()), int(mask.sum()), int(bad[mask].sum())
    counts = np.arange(here, min(wrong, rows) + 1)
    right = every - wrong

    def chosen(of: int, some: np.ndarray) -> np.ndarray:
        ways: np.ndarray = logs[of] - logs[some] - logs[of - some]
        return ways

    counts = counts[rows - counts <= right]
    terms = chosen(wrong, counts) + chosen(right, rows - counts) - chosen(every, np.array([rows]))
    return min(1.0, float(np.exp(terms).sum()))


def _ranks(values: np.ndarray) -> np.ndarray:
    """From 1, equal values share the mean of theirs."""
    _, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: np.ndarray = (last - (counts - 1) / 2)[codes]
    return ranks


def _rank_sum(ranks: np.ndarray, mask: np.ndarray) -> float:
    every, rows = len(ranks), int(mask.sum())
    spread = float(np.sqrt(rows * (every - rows) / every * ranks.var(ddof=1)))
    return _upper((ranks[mask].mean() - ranks.mean()) * rows / spread) if spread > 0 else 1.0


def _of_sets(values: np.ndarray, mask: np.ndarray, sets: np.ndarray) -> float:
    """By the difference of the means, whose error is taken over sets of rows."""
    if min(len(np.unique(sets[mask])), len(np.unique(sets[~mask]))) < FEWEST_ROWS:
        return 1.0
    here, rest = values[mask], values[~mask]
    pull = np.where(mask, (values - here.mean()) / len(here), -(values - rest.mean()) / len(rest))
    _, codes = np.unique(sets, return_inverse=True)
    each = np.bincount(codes, weights=pull)
    error = float(np.sqrt(len(each) / (len(each) - 1) * (each**2).sum()))
    return _upper((here.mean() - rest.mean()) / error) if error > 0 else 1.0


def _upper(z: float) -> float:
    return 0.5 * math.erfc(float(z) / math.sqrt(2))


def _holm(p: np.ndarray) -> np.ndarray:
    order = np.argsort(p, kind="stable")
    scaled = np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p))))
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(scaled, 1.0)
    return corrected
