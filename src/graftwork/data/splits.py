"""Which rows train and which validate: by class, at random, by group, by time, or as a column says."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from graftwork.errors import DataError, UsageError, nearest

SPLITS = {
    "train": "train",
    "training": "train",
    "validation": "valid",
    "valid": "valid",
    "val": "valid",
    "dev": "valid",
}
SPLITS |= {"test": "test", "testing": "test"}
"""What a `split` column may say, and what it means."""


FEWEST_OF_CLASS = 3
"""Rows from which a class gives one to validation however small its share is; two still train."""


def stratified_split(
    labels: np.ndarray, share: float, seed: int, *, every_class: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Sorted indices to train on and to validate on; each class gives `share` of its rows to validation.

    labels: class indices (N,); rows with -1 (no label) all train. Every class keeps at least one row in training.
    Rows left over from rounding go to the classes with the largest remainders, so that the shares add up.
    every_class: classes of three rows or more validate with one at least, which the largest ones make up for.
    """
    known = np.flatnonzero(labels >= 0)
    wanted = _count(len(known), share)
    draw = np.random.default_rng(seed)
    classes, codes, sizes = np.unique(labels[known], return_inverse=True, return_counts=True)
    quota = sizes * share
    counts = np.minimum(np.floor(quota).astype(np.int64), sizes - 1)
    room = sizes - 1 - counts
    order = draw.permutation(len(classes))
    order = order[np.argsort(-(quota - np.floor(quota))[order], kind="stable")]
    while counts.sum() < wanted and room.any():
        for at in order:
            if counts.sum() < wanted and room[at]:
                counts[at] += 1
                room[at] -= 1
    if every_class:
        counts = _with_rare(counts, sizes)
    shuffled = draw.permutation(len(known))
    by_class = shuffled[np.argsort(codes[shuffled], kind="stable")]
    starts = np.cumsum(sizes) - sizes
    picked = [by_class[start : start + count] for start, count in zip(starts, counts, strict=True)]
    return _halves(len(labels), known[np.concatenate(picked)] if picked else known)


def _with_rare(counts: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Validation rows of each class, one at least of those that have enough; the total stays where it can."""
    lacking = (counts == 0) & (sizes >= FEWEST_OF_CLASS)
    found: np.ndarray = counts + lacking
    for _ in range(int(lacking.sum())):
        richest = int(found.argmax())
        if found[richest] < 2:
            break
        found[richest] -= 1
    return found


def random_split(rows: int, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Sorted indices to train on and to validate on, at random."""
    return _halves(rows, np.random.default_rng(seed).permutation(rows)[: _count(rows, share)])


def group_split(
    groups: np.ndarray, share: float, seed: int, labels: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """As `random_split`, but the rows of a group stay together.

    groups: any value a row (N,). labels: class indices (N,); where given, every class keeps a row in training.
    Groups are drawn at random until `share` of the rows is reached; a group that overshoots it by more than it
    would undershoot is passed over. Raises DataError with fewer than two groups.
    """
    names, codes, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    if len(names) < 2:
        raise DataError(f"All rows belong to one group ({names[0]!r}), so none can validate. Give a validation table.")
    wanted = _count(len(groups), share)
    rows_of = np.split(np.argsort(codes, kind="stable"), np.cumsum(sizes)[:-1])
    codes_of = labels if labels is not None else np.zeros(len(groups), np.int64)
    left = np.bincount(codes_of[codes_of >= 0])
    chosen, held = [], 0
    for group in np.random.default_rng(seed).permutation(len(names)):
        rows = rows_of[group]
        taken = np.bincount(codes_of[rows][codes_of[rows] >= 0], minlength=len(left))
        closer = abs(held + len(rows) - wanted) < abs(held - wanted)
        if not closer or ((left == taken) & (taken > 0)).any():
            continue
        chosen.append(rows)
        held += len(rows)
        left = left - taken
    if not chosen:
        raise DataError(
            f"No group of the {len(names)} can validate: each is too large, or holds all rows of a class. "
            "Give a validation table."
        )
    return _halves(len(groups), np.concatenate(chosen))


def latest_split(times: np.ndarray, share: float, labels: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """As `random_split`, but the latest rows validate; rows of one time stay together.

    times: numbers that grow with time (N,). labels: class indices (N,), -1 for none; where given, rows of a class that
    only late rows have train, whatever their time.
    Raises DataError where all rows have one time.
    """
    distinct, counts = np.unique(times, return_counts=True)
    if len(distinct) < 2:
        raise DataError("All rows have the same time, so none are the latest. Give a validation table.")
    wanted = _count(len(times), share)
    after = len(times) - np.cumsum(counts)  # rows later than each time
    held = times > distinct[np.abs(after[:-1] - wanted).argmin()]
    if labels is not None:
        held &= ~np.isin(labels, np.setdiff1d(labels[held], labels[~held]))
        if not held.any():
            raise DataError("All late rows are of classes that no earlier row has. Give a validation table.")
    return np.flatnonzero(~held), np.flatnonzero(held)


class Parts(NamedTuple):
    """Sorted row indices by what they are for; empty where the column names none."""

    train: np.ndarray
    valid: np.ndarray
    test: np.ndarray


def split_by_column(column: pa.ChunkedArray, source: str) -> Parts:
    """Rows by a `split` column that says train; validation, valid, val or dev; test. Case does not matter."""
    words = [str(value).strip().lower() for value in column.to_pylist()]
    for row, word in enumerate(words, 1):
        if word not in SPLITS:
            raise DataError(f"{source}, row {row}: split is '{word}'. {nearest(word, SPLITS)}")
    parts = np.array([SPLITS[word] for word in words])
    found = Parts(*(np.flatnonzero(parts == part) for part in ("train", "valid", "test")))
    if not len(found.train):
        raise DataError(f"{source}: the split column marks no row as 'train' ({', '.join(sorted(set(words)))}).")
    return found


def _count(rows: int, share: float) -> int:
    """Rows to validate on: at least one, and at least one is left."""
    if not 0.0 < share < 1.0:
        raise UsageError(f"The share of validation rows is {share}. Expected a number between 0 and 1.")
    if rows < 2:
        raise DataError(f"{rows} labelled row can't be split into training and validation. Expected at least two.")
    return min(max(1, round(rows * share)), rows - 1)


def _halves(rows: int, valid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mask = np.zeros(rows, dtype=bool)
    mask[valid] = True
    return np.flatnonzero(~mask), np.flatnonzero(mask)
