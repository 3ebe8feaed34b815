"""Techniques that the facts of a table speak for, each with the fact; whether they help is for an ablation to say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from graftwork.evidence.words import quoted
from graftwork.shown import counted, shown_percent

IMBALANCED = 5.0
"""So many times as many rows has the largest class as the smallest."""
NOISY = 0.03
"""Share of labels that are in doubt."""
FEW = 16
"""Rows of a middling class."""
SMALL = 2000
"""Rows of images or sounds, below which changed copies of them help most."""


@dataclass(frozen=True)
class TableFacts:
    """rows: training rows. counts: rows by class of a target with one class a row, else empty. doubted: the share of
    labels that are in doubt, None where not known. domains: how many. lacking: inputs that some rows lack, of several.
    modalities: of the inputs."""

    rows: int
    counts: Mapping[str, int]
    doubted: float | None = None
    domains: int = 0
    lacking: tuple[str, ...] = ()
    modalities: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fitting:
    """technique: its name, with settings where the usual ones would not do. why: the fact, in a sentence."""

    technique: str
    why: str


def fitting(facts: TableFacts) -> list[Fitting]:
    """The most telling first."""
    found = []
    if facts.counts:
        largest, smallest = (pick(facts.counts, key=facts.counts.__getitem__) for pick in (max, min))
        if facts.counts[largest] >= IMBALANCED * max(1, facts.counts[smallest]):
            why = (
                f"The class {quoted(largest)} has {counted(facts.counts[largest])}, {quoted(smallest)} has "
                f"{facts.counts[smallest]:,}: where rare classes matter as much, they can count more. That raises "
                "macro-F1 and balanced accuracy, and may cost accuracy."
            )
            found += [Fitting("class-weights", why), Fitting("balanced-sampling", why)]
        middling = sorted(facts.counts.values())[len(facts.counts) // 2]
        if middling <= FEW:
            why = f"A class has {middling:,} rows in the middle: every pair of rows in a batch can be made a signal."
            found.append(Fitting("supervised-contrastive", why))
    if facts.doubted is not None and facts.doubted >= NOISY:
        why = f"{shown_percent(facts.doubted)} % of the labels are in doubt: a loss that a wrong label moves less."
        found.append(Fitting("generalised-cross-entropy", why))
    if facts.domains > 1:
        why = f"The rows come from {counted(facts.domains, 'domain')}: the one that is served worst can count more."
        found.append(Fitting("group-dro", why))
    if facts.lacking:
        why = f"Some rows lack {', '.join(map(quoted, facts.lacking))}: a model can be taught to do without an input."
        found.append(Fitting("modality-dropout", why))
    for modality, technique, what in (("image", "rand-augment", "pictures"), ("audio", "spec-augment", "sounds")):
        if modality in facts.modalities and facts.rows < SMALL:
            found.append(Fitting(technique, f"{counted(facts.rows)} of {what} are few: changed copies add some."))
    return found
