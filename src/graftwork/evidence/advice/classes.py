"""Classes that may be one, and classes that may be two: by what is taken for what on rows nobody learned from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from graftwork.evidence.scores.intervals import Interval
from graftwork.evidence.slices.clusters import clusters
from graftwork.evidence.slices.worse import ALPHA, Slice, worse_slices

FEWEST = 5
"""Rows of two classes that are taken for each other, below which nothing is said."""
MIXED = 0.15
"""And the share of the rows of both."""
MOST = 3
_SPLIT_ROWS = 120
"""Of a class, below which it is not looked into."""


@dataclass(frozen=True)
class Mixed:
    """Two classes, as indices: rows of both, how many are taken for the other one, and how many more of all rows would
    be right if they were one class, as a share with its interval."""

    first: int
    second: int
    rows: int
    mixed: int
    gain: Interval


def mixed_up(truth: np.ndarray, chosen: np.ndarray, classes: int) -> list[Mixed]:
    """The pairs that are taken for each other in both directions, the worst first. truth, chosen: indices (N,).

    The interval (Wilson 1927) is widened for the number of pairs there are (Bonferroni), since the worst are picked.
    """
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (truth, chosen), 1)
    sizes, both = counts.sum(axis=1), counts + counts.T
    pairs = max(1, classes * (classes - 1) // 2)
    found = []
    for first, second in zip(*np.triu_indices(classes, 1), strict=True):
        rows, mixed = int(sizes[first] + sizes[second]), int(both[first, second])
        one_way = min(counts[first, second], counts[second, first]) == 0
        if mixed >= FEWEST and mixed >= MIXED * rows and not one_way:
            gain = _wilson(mixed, len(truth), 1 - (1 - 0.95) / pairs)
            found.append(Mixed(int(first), int(second), rows, mixed, gain))
    return sorted(found, key=lambda one: -one.mixed)[:MOST]


@dataclass(frozen=True)
class Divided:
    """A class with a kind of rows that is found far less often than its other rows."""

    index: int
    part: Slice


def divided_classes(
    truth: np.ndarray,
    chosen: np.ndarray,
    classes: int,
    features: np.ndarray,
    texts: Sequence[str] | None,
    numbers: np.ndarray,
) -> list[Divided]:
    """Classes of which one cluster of rows is clearly worse than the rest, corrected for all classes and clusters."""
    large = [index for index in range(classes) if (truth == index).sum() >= _SPLIT_ROWS]
    found = []
    for index in large:
        rows = np.flatnonzero(truth == index)
        some = None if texts is None else [texts[at] for at in rows.tolist()]
        partition = clusters("", np.asarray(features[rows]), some)
        if partition is None:
            continue
        bad = (chosen[rows] != index).astype(np.float64)
        search = worse_slices([partition], bad, numbers[rows], alpha=ALPHA / len(large))
        found += [Divided(index, part) for part in search.found[:1] if part.bad >= 2 * part.rest]
    return sorted(found, key=lambda one: -one.part.bad * one.part.rows)[:MOST]


def _wilson(count: int, rows: int, level: float) -> Interval:
    z, share = NormalDist().inv_cdf((1 + level) / 2), count / rows
    middle, width = share + z * z / (2 * rows), z * np.sqrt(share * (1 - share) / rows + (z / (2 * rows)) ** 2)
    return Interval(share, float((middle - width) / (1 + z * z / rows)), float((middle + width) / (1 + z * z / rows)))
