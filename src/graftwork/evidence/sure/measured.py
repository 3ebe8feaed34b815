"""What a model's sets, intervals and abstention come to, measured on rows that they do not rest on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from graftwork.evidence.sure.abstain import doubts, mistakes, sgr
from graftwork.evidence.sure.asked import CONFIDENCE
from graftwork.evidence.sure.calibration import Calibration, halves
from graftwork.evidence.sure.conformal import conformal_sets, held_by, too_few
from graftwork.evidence.sure.intervals import conformal_intervals
from graftwork.evidence.words import listed
from graftwork.shown import counted, shown_number
from graftwork.tasks.section import Grid, Section
from graftwork.tasks.task import Task

COVERAGES, ERRORS, ANSWERED = (0.8, 0.9, 0.95), (0.01, 0.02, 0.05, 0.1), (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
SPLITS = 20
"""Random halves of the calibration rows on which is measured what the other half promises."""


@dataclass(frozen=True)
class Covered:
    """asked, found: the share of rows whose set or interval holds the truth. size: classes in a set, or the width of an
    interval, mean over rows. empty, single: share of sets with no class and with one; 0 for intervals."""

    asked: float
    found: float
    size: float
    empty: float = 0.0
    single: float = 0.0


@dataclass(frozen=True)
class Answers:
    """error: of the answers, at most so many are wrong, as promised. answered: share of rows that then are; None where
    these rows can't promise it."""

    error: float
    answered: float | None


@dataclass(frozen=True)
class Measured:
    """source: which calibration rows. rows: how many. checked: how many other rows all this was measured on; 0: on
    random halves of the calibration rows. covered: by coverage. answers: by promised error, from all calibration rows.
    curve: when only the surest share of rows is answered, which share of the answers is wrong; of numbers, none.
    absent: classes of which there is no calibration row."""

    source: str
    rows: int
    checked: int
    covered: tuple[Covered, ...]
    answers: tuple[Answers, ...] = ()
    curve: tuple[tuple[float, float], ...] = ()
    unit: str = "classes in a set"
    absent: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data."""
        return asdict(self) | {"curve": [{"answered": share, "wrong": wrong} for share, wrong in self.curve]}

    def sentences(self) -> tuple[str, ...]:
        """What was measured, and on what."""
        on = counted(self.checked, "other row") if self.checked else f"{SPLITS} random halves of them"
        rows = counted(self.rows, "calibration row")
        first = f"What it promises rests on {rows} ({self.source}), which taught it nothing."
        lacks = (f"None of them is {listed(self.absent)}: of such rows nothing is promised.",) if self.absent else ()
        if not self.covered:
            return (first, *lacks, "They are too few to say what comes of it.")
        return (first, *lacks, f"What comes of it was measured on {on}.")

    def tables(self) -> list[tuple[list[tuple[str, ...]], str]]:
        """Tables of text with a head, each with its title."""
        grids = [(self._coverage(), "Coverage"), (self._answers(), "Abstention")]
        return [([grid.columns, *grid.rows], title) for grid, title in grids if grid.rows]

    def section(self) -> Section:
        """A part of the report: coverage, and what abstention costs."""
        said = list(self.sentences())
        if self.answers:
            told = [f"{error}: {answered}" for error, answered, _ in self._answers().rows]
            said.append(f"Rows it answers with so many of the answers wrong at most (--abstain): {'; '.join(told)}.")
            curve = [f"{wrong:.1%} of the surest {share:.0%}" for share, wrong in self.curve]
            said.append(f"Wrong are {', '.join(curve)}.")
        return Section("When it is sure", tuple(said), self._coverage())

    def _coverage(self) -> Grid:
        if not self.curve:
            wide = [
                (f"{one.asked:.0%}", f"{one.found:.1%}", shown_number(float(f"{one.size:.3g}"))) for one in self.covered
            ]
            return Grid(("asked", "found", self.unit), tuple(wide))
        rows = [
            (f"{one.asked:.0%}", f"{one.found:.1%}", f"{one.size:.2f}", f"{one.single:.0%}", f"{one.empty:.0%}")
            for one in self.covered
        ]
        return Grid(("asked", "found", self.unit, "one class", "empty"), tuple(rows))

    def _answers(self) -> Grid:
        rows = [
            (
                f"{one.error:.0%}",
                "can't be promised" if one.answered is None else f"{one.answered:.1%}",
                "" if one.answered is None else f"--abstain {one.error:g}",
            )
            for one in self.answers
        ]
        return Grid(("wrong at most", "answered", "how"), tuple(rows))


def measured(task: Task, rows: Calibration, others: Calibration | None = None, seed: int = 0) -> Measured:
    """others: labelled rows on which to measure; left out, random halves of the calibration rows serve in turn."""
    pairs = _halves(rows, seed) if others is None else [(rows, others)]
    found = [_covered(task, pairs, coverage) for coverage in COVERAGES]
    covered = tuple(one for one in found if one is not None)
    checked = 0 if others is None else len(others)
    if task.answer == "number":
        return Measured(rows.source, len(rows), checked, covered, unit="mean width")
    doubt, wrong = doubts(task, rows.kept), mistakes(task, rows)
    tried = [(error, sgr(doubt, wrong, error, 1.0 - CONFIDENCE)) for error in ERRORS]
    answers = tuple(Answers(error, one.answered / one.rows if one.bound <= error else None) for error, one in tried)
    seen = rows if others is None else others
    curve = _curve(doubts(task, seen.kept), mistakes(task, seen))
    unit = "labels in a set" if task.answer == "classes" else "classes in a set"
    return Measured(rows.source, len(rows), checked, covered, answers, curve, unit, _absent(task, rows))


def _absent(task: Task, rows: Calibration) -> tuple[str, ...]:
    if task.answer != "class":
        return ()
    return tuple(task.classes[at] for at in np.setdiff1d(np.arange(task.outputs), rows.truth).tolist())


def _halves(rows: Calibration, seed: int) -> list[tuple[Calibration, Calibration]]:
    if len(rows) < 2:
        return []
    return [halves(rows, seed + at) for at in range(SPLITS)]


def _covered(task: Task, pairs: Sequence[tuple[Calibration, Calibration]], coverage: float) -> Covered | None:
    """What the first rows of each pair promise of the second ones; None where they are too few for it."""
    if not pairs or too_few(len(pairs[0][0]), coverage):
        return None
    parts = [_held(task, known, new, coverage) for known, new in pairs]
    held, sizes = (np.concatenate(found) for found in zip(*parts, strict=True))
    empty, single = (0.0, 0.0) if task.answer == "number" else ((sizes == 0).mean(), (sizes == 1).mean())
    return Covered(coverage, float(held.mean()), float(sizes.mean()), float(empty), float(single))


def _held(task: Task, known: Calibration, new: Calibration, coverage: float) -> tuple[np.ndarray, np.ndarray]:
    """Of new rows (N,): whether the truth is within what was promised, and how much that is: classes, or a width."""
    if task.answer == "number":
        low, high = conformal_intervals(task, known, coverage).bounds(new.kept)
        return (low <= new.truth) & (new.truth <= high), high - low
    chosen = conformal_sets(task, known, coverage).chosen(new.kept)
    return held_by(chosen, new.truth), chosen.sum(axis=1)


def _curve(doubt: np.ndarray, wrong: np.ndarray) -> tuple[tuple[float, float], ...]:
    """Which share of the answers is wrong when only so many of the rows are answered, the surest ones."""
    ordered = wrong[np.argsort(doubt, kind="stable")]
    return tuple((share, float(ordered[: max(1, round(share * len(wrong)))].mean())) for share in ANSWERED)
