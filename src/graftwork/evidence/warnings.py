"""What looks wrong with the data, in sentences with row numbers. Nothing is changed, and nothing is refused here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

_SHOWN_ROWS = 10


@dataclass(frozen=True)
class DataWarning:
    """A finding: its kind, a sentence that says what it means and what to do, and the rows (source numbers)."""

    kind: str
    message: str
    rows: tuple[int, ...] = ()


@dataclass(frozen=True)
class Suspect:
    """A row whose label looks wrong: the label it has, the class the model is sure of, and how sure it is."""

    row: int
    label: str
    likely: str
    probability: float


def duplicates(first: str, second: str, pairs: Sequence[tuple[int, int]], rows: int) -> list[DataWarning]:
    """Rows of `second` (of `rows` in all) that stand in `first` too. pairs: (row in first, row in second)."""
    if not pairs:
        return []
    held = tuple(dict.fromkeys(in_second for _, in_second in pairs))
    share = 100 * len(held) / rows
    return [
        DataWarning(
            "duplicates",
            f"{len(held):,} of {rows:,} {second} rows ({share:.2g} %) also stand in {first}, so the {second} scores "
            f"may be too good: {_listed(held)}. Remove them from one side.",
            held,
        )
    ]


def conflicts(groups: Sequence[Sequence[tuple[int, str]]], split: str) -> list[DataWarning]:
    """Equal inputs with different labels. groups: for each such input, its (row, label)s."""
    if not groups:
        return []
    rows = tuple(row for group in groups for row, _ in group)
    first = ", ".join(f"row {row} is '{label}'" for row, label in groups[0][:4])
    inputs = f"{len(groups):,} inputs of {split} stand" if len(groups) != 1 else f"1 input of {split} stands"
    return [
        DataWarning(
            "conflicting labels",
            f"{inputs} there more than once with different labels ({len(rows):,} rows): {first}. "
            "No model can be right on all of them; settle their labels.",
            rows,
        )
    ]


def rare_classes(counts: Mapping[str, int], fewer_than: int = 5) -> list[DataWarning]:
    """Classes with fewer training rows than this. counts: training rows by class."""
    rare = sorted((count, label) for label, count in counts.items() if count < fewer_than)
    if not rare:
        return []
    listed = ", ".join(f"'{label}' ({count})" for count, label in rare[:_SHOWN_ROWS])
    more = ", …" if len(rare) > _SHOWN_ROWS else ""
    return [
        DataWarning(
            "rare classes",
            f"{len(rare):,} of {len(counts):,} classes have fewer than {fewer_than} training rows: {listed}{more}. "
            "Expect them to be missed; add rows, or join them with related classes.",
        )
    ]


def spellings(classes: Sequence[str]) -> list[DataWarning]:
    """Classes that differ only in upper and lower case or white space, and so are perhaps one class."""
    same: dict[str, list[str]] = {}
    for label in classes:
        same.setdefault(" ".join(label.casefold().split()), []).append(label)
    return [
        DataWarning(
            "spelling",
            f"The classes {' and '.join(repr(label) for label in group)} differ only in case or white space. "
            "If they mean the same, write them alike.",
        )
        for group in same.values()
        if len(group) > 1
    ]


def label_noise(
    targets: np.ndarray, probabilities: np.ndarray, rows: np.ndarray, classes: Sequence[str], split: str
) -> tuple[list[DataWarning], list[Suspect]]:
    """Rows whose label is probably wrong, by confident learning (Northcutt et al. 2021).

    A row is suspect where the model is at least as sure of another class as it is, on average, of rows that have that
    class, and less sure of the row's own label than of rows that have that one. Most suspicious first.

    targets: class indices (N,), -1 where missing. probabilities (N, C) must come from a model that did not train on
    these rows: validation or test rows, since a model has learned the wrong labels of its own training rows.
    """
    suspects = [
        Suspect(int(rows[at]), classes[targets[at]], classes[likely], float(probabilities[at, likely]))
        for at, likely in _suspects(targets, probabilities)
    ]
    if not suspects:
        return [], []
    first = suspects[0]
    message = (
        f"{len(suspects):,} of {int((targets >= 0).sum()):,} {split} rows may have a wrong label: "
        f"{_listed(tuple(suspect.row for suspect in suspects))}. "
        f"The first is labelled '{first.label}', but the model gives '{first.likely}' {100 * first.probability:.0f} %. "
        "Look at them before trusting the scores."
    )
    return [DataWarning("label noise", message, tuple(suspect.row for suspect in suspects))], suspects


def _suspects(targets: np.ndarray, probabilities: np.ndarray) -> list[tuple[int, int]]:
    """(position, likely class), by how far the likely class leads the given one."""
    labelled = np.flatnonzero(targets >= 0)
    given = targets[labelled]
    p = probabilities[labelled].astype(np.float64)
    own = p[np.arange(len(given)), given]
    counts = np.bincount(given, minlength=p.shape[1])
    sure = np.bincount(given, weights=own, minlength=p.shape[1]) / np.maximum(counts, 1)
    threshold = np.where(counts > 0, sure, np.inf)
    likely = np.where(p >= threshold, p, -1.0).argmax(axis=1)
    at_likely = p[np.arange(len(given)), likely]
    suspect = (at_likely >= threshold[likely]) & (likely != given) & (own < threshold[given]) & (at_likely > own)
    found = np.flatnonzero(suspect)
    order = found[np.argsort(own[found] - at_likely[found], kind="stable")]
    return [(int(labelled[at]), int(likely[at])) for at in order]


def _listed(rows: Sequence[int]) -> str:
    shown = ", ".join(map(str, rows[:_SHOWN_ROWS]))
    return f"row{'' if len(rows) == 1 else 's'} {shown}{', …' if len(rows) > _SHOWN_ROWS else ''}"
