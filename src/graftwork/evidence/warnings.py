"""What looks wrong with the data, in sentences with row numbers. Nothing is changed, and nothing is refused here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from graftwork.bases.provenance import Provenance
from graftwork.data.columns.spellings import difference, likely_groups, visible
from graftwork.data.quality import compare
from graftwork.data.quality.leakage import Leak
from graftwork.data.table import Table
from graftwork.shown import shortened_text, shown_percent
from graftwork.tasks.labels import label_counts
from graftwork.tasks.task import Task

_SHOWN_ROWS = 10
_SOUND = 0.5
"""Share of rows that a model gives their label, from which the others may be mislabelled."""


@dataclass(frozen=True)
class DataWarning:
    """A finding: its kind, a sentence that says what it means and what to do, the rows (source numbers), and the
    columns that it is about."""

    kind: str
    message: str
    rows: tuple[int, ...] = ()
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Suspect:
    """A row whose label looks wrong: the label it has, the class the model is sure of, and how sure it is."""

    row: int
    label: str
    likely: str
    probability: float


def table_warnings(train: Table, others: Mapping[str, Table], tasks: Mapping[str, Task]) -> list[DataWarning]:
    """All that can be said of the training rows and of the other splits, by their names, without a model.

    Rows that stand in the training rows too (not of a log, where the same is met again); and for each target with one
    class a row, conflicting labels, rare classes and spellings in the training rows. Of several targets, a warning
    begins with the one that it is about.
    """
    found = [
        warning
        for name, table in others.items()
        if train.schema.role("reward") is None
        for warning in duplicates("train", name, compare.overlap(train, table), train.source, table.source)
    ]
    for target, task in tasks.items():
        if task.answer == "class":
            found += [w for name, table in others.items() for w in uncovered(train, target, name, table)]
        if task.single_label:
            classes = label_counts(train.column(target))
            own = [
                *conflicts(compare.conflicts(train, target), "train"),
                *rare_classes(compare.rare_classes(train, target), len(classes)),
                *spellings(tuple(classes)),
            ]
            found += about(own, target) if len(tasks) > 1 else own
    return found


def about(warnings: Sequence[DataWarning], target: str) -> list[DataWarning]:
    """The warnings with the target that they are about."""
    return [replace(warning, message=f"{target}: {warning.message}") for warning in warnings]


def bases(notes: Sequence[str]) -> list[DataWarning]:
    """Bases that were chosen for want of one that fits, or don't fit what they read; `kind: sentence` each."""
    parts = [note.partition(": ") for note in notes]
    return [DataWarning(kind, f"{said[0].upper()}{said[1:]}.") for kind, _, said in parts]


def licences(provenance: Provenance) -> list[DataWarning]:
    """Bases whose licence is not known to allow commercial use."""
    return [DataWarning("licence", f"{said[0].upper()}{said[1:]}.") for said in provenance.warnings]


def differing(findings: Sequence[str]) -> list[DataWarning]:
    """How tables that are scored differ from the training rows."""
    return [
        DataWarning("other rows", f"{one[0].upper()}{one[1:]}. Scores tell of rows like those; train on some of them.")
        for one in findings
    ]


def leaks(found: Sequence[Leak]) -> list[DataWarning]:
    """Inputs that give a target away."""
    return [
        DataWarning("leak", f"{leak.sentence[0].upper()}{leak.sentence[1:]}", columns=(leak.column,)) for leak in found
    ]


def duplicates(first: str, second: str, found: compare.Overlap, *sources: str) -> list[DataWarning]:
    """Rows of the split `second` that stand in the split `first` too. sources: the files they come from."""
    if not len(found.pairs):
        return []
    rows = tuple(found.pairs[:, 1].tolist())
    one = len(set(sources)) == 1
    remedy = f"Take the doubled rows out of {sources[0]}." if one else "Remove them from one side."
    return [
        DataWarning(
            "duplicates",
            f"{len(rows):,} of {found.rows:,} {second} rows ({shown_percent(found.share)} %) also stand in {first}, so "
            f"the {second} scores may be too good: {_listed(rows)}. {remedy}",
            rows,
        )
    ]


def uncovered(train: Table, target: str, name: str, table: Table) -> list[DataWarning]:
    """Classes that the split `name` has no row of, so that its scores say nothing of them."""
    if target not in table.data.column_names:
        return []
    classes, there = label_counts(train.column(target)), label_counts(table.column(target))
    lacking = [label for label in classes if label not in there]
    if not lacking or not there:
        return []
    listed = ", ".join(f"'{shortened_text(label)}'" for label in lacking[:_SHOWN_ROWS])
    more = f" and {len(lacking) - _SHOWN_ROWS:,} more" if len(lacking) > _SHOWN_ROWS else ""
    return [
        DataWarning(
            "classes not scored",
            f"None of the {name} rows is of {len(lacking):,} of {len(classes):,} classes of '{target}': {listed}"
            f"{more}. The scores say nothing of them; add rows of them.",
        )
    ]


def conflicts(found: compare.Conflicts, split: str) -> list[DataWarning]:
    """Equal inputs with different labels."""
    if not found.texts:
        return []
    inputs = f"{found.texts:,} inputs of {split} stand" if found.texts != 1 else f"1 input of {split} stands"
    first = found.examples[0]
    pairs = list(zip(first.rows, first.labels, strict=True))[:4]
    listed = ", ".join(f"row {row} is '{shortened_text(label)}'" for row, label in pairs)
    return [
        DataWarning(
            "conflicting labels",
            f"{inputs} there more than once with different labels ({found.rows:,} rows): {listed}. "
            "No model can be right on all of them; settle their labels.",
            tuple(row for example in found.examples for row in example.rows),
        )
    ]


def rare_classes(rare: Sequence[compare.RareClass], classes: int, fewer_than: int = 5) -> list[DataWarning]:
    """Classes with fewer training rows than `fewer_than`, rarest first, of so many classes."""
    if not rare:
        return []
    listed = ", ".join(f"'{shortened_text(each.label)}' ({each.count})" for each in rare[:_SHOWN_ROWS])
    more = ", …" if len(rare) > _SHOWN_ROWS else ""
    have = "has" if len(rare) == 1 else "have"
    return [
        DataWarning(
            "rare classes",
            f"{len(rare):,} of {classes:,} classes {have} fewer than {fewer_than} training rows: {listed}{more}. "
            "Expect mistakes there; add rows, or join them with related classes.",
            tuple(row for each in rare for row in each.rows),
        )
    ]


def spellings(classes: Sequence[str]) -> list[DataWarning]:
    """Classes that differ only in upper and lower case, white space, accents and the like: perhaps one class."""
    return [
        DataWarning(
            "spelling",
            f"The classes {' and '.join(map(visible, group))} differ only in {difference(group)}. "
            "If they mean the same, write them alike.",
        )
        for group in likely_groups(classes)
    ]


def label_noise(
    targets: np.ndarray, probabilities: np.ndarray, rows: np.ndarray, classes: Sequence[str], split: str
) -> tuple[list[DataWarning], list[Suspect]]:
    """Rows whose label is probably wrong, by confident learning (Northcutt et al. 2021).

    A row is suspect where the model is at least as sure of another class as it is, on average, of rows that have that
    class, and less sure of the row's own label than of rows that have that one. Most suspicious first.

    targets: class indices (N,), -1 where missing. probabilities (N, C) must come from a model that did not train on
    these rows: validation or test rows, since a model has learned the wrong labels of its own training rows. Nothing
    is said by a model that gives fewer than half of the rows their label: the mistakes are its own.
    """
    suspects = [
        Suspect(int(rows[at]), classes[targets[at]], classes[likely], float(probabilities[at, likely]))
        for at, likely in _suspects(targets, probabilities)
    ]
    known = targets >= 0
    if not suspects or np.mean(probabilities[known].argmax(axis=1) == targets[known]) < _SOUND:
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
    more = f" and {len(rows) - _SHOWN_ROWS:,} more" if len(rows) > _SHOWN_ROWS else ""
    return f"row{'' if len(rows) == 1 else 's'} {shown}{more}"
