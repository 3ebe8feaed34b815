"""Images and sounds that a base hardly tells apart: the same one cut, brightened, louder or stored anew.

Compared by the cosine of their features, each scaled to mean 0 and variance 1. On photos and drawings (PACS) and on
spoken digits (FSDD) different rows reach 0.87; copies that were brightened, scaled, mirrored or made louder stay above
0.9 mostly, those that were cut often do not. Exact repeats are found by their content elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from graftwork.evidence.profile.finding import Finding, RowNote
from graftwork.shown import counted

ABOUT = "look-alikes"
ALIKE = 0.9
MOST = 20_000
"""Rows of each table that are compared at most."""
SKETCHED, NEAR = 256, 0.75
"""Random directions by which pairs are looked for, and the cosine in them from which a pair is looked at closely."""
BLOCK = 1024


def look_alikes(
    column: str,
    features: np.ndarray,
    numbers: np.ndarray,
    test: np.ndarray | None = None,
    test_numbers: np.ndarray | None = None,
) -> Finding:
    """Rows of the training table that are like an earlier one, and test rows that are like a training row.

    features (N, W), test (M, W): of the column's images or sounds. numbers (N,), test_numbers (M,): of the rows.
    """
    features, numbers = features[:MOST], numbers[:MOST]
    mean, spread = features.mean(axis=0), features.std(axis=0)
    typical = float(np.median(spread)) or 1.0
    scale = 1 / np.maximum(spread, typical / 30)
    own = _lengths_of_one((features - mean) * scale)
    notes = list[RowNote]()
    for at, other, share in _pairs(own, own):
        if other < at and not (notes and notes[-1].row == numbers[at]):
            notes.append(RowNote(int(numbers[at]), _reason(share, int(numbers[other])), int(numbers[other])))
    within = len(notes)
    if test is not None and test_numbers is not None:
        seen = set[int]()
        for at, other, share in _pairs(_lengths_of_one((test[:MOST] - mean) * scale), own):
            if at not in seen:
                seen.add(at)
                row, first = int(test_numbers[at]), int(numbers[other])
                notes.append(RowNote(row, _reason(share, first), first, table="test"))
    across = len(notes) - within
    numbers_of = {"column": column, "rows": within, "test_rows": across, "compared": len(features)}
    if not notes:
        return Finding(ABOUT, (f"No two rows of '{column}' look or sound nearly the same.",), numbers_of)
    looks = "looks or sounds" if within == 1 else "look or sound"
    said = [f"{counted(within)} of '{column}' {looks} nearly like an earlier row."] if within else []
    if across:
        looks = "looks or sounds" if across == 1 else "look or sound"
        said.append(f"{counted(across, 'test row')} {looks} nearly like a training row: scores on them flatter.")
    remedy = "Look at them: where one was made of the other, keep one of them, and none in both tables."
    return Finding(ABOUT, tuple(said), numbers_of, tuple(notes), remedy)


def _pairs(first: np.ndarray, second: np.ndarray) -> Iterator[tuple[int, int, float]]:
    """Places of rows of cosine `ALIKE` or more, row by row of the first: those of the second in order."""
    directions = np.random.default_rng(0).normal(size=(first.shape[1], SKETCHED)).astype(np.float32)
    few = first.shape[1] <= SKETCHED
    sketches = [rows if few else _lengths_of_one(rows @ directions) for rows in (first, second)]
    for start in range(0, len(first), BLOCK):
        likely = sketches[0][start : start + BLOCK] @ sketches[1].T >= NEAR
        for at in np.flatnonzero(likely.any(axis=1)):
            others = np.flatnonzero(likely[at])
            cosines = second[others] @ first[start + at]
            for other, cosine in zip(others, cosines, strict=True):
                if cosine >= ALIKE:
                    yield int(start + at), int(other), float(cosine)


def _lengths_of_one(rows: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-12), np.float32)


def _reason(share: float, other: int) -> str:
    return f"{100 * min(share, 1.0):.0f} % alike with training row {other}"
