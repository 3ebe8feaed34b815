"""What a model's sets, intervals and abstention come to, measured on rows that they do not rest on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from graftwork.errors import UsageError
from graftwork.evidence.sure.abstain import CONFIDENCE, doubts, mistakes, sgr
from graftwork.evidence.sure.calibration import Calibration
from graftwork.evidence.sure.conformal import conformal_sets
from graftwork.evidence.sure.intervals import conformal_intervals
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
    curve: when only the surest share of rows is answered, which share of the answers is wrong; of numbers, none."""

    source: str
    rows: int
    checked: int
    covered: tuple[Covered, ...]
    answers: tuple[Answers, ...] = ()
    curve: tuple[tuple[float, float], ...] = ()
    unit: str = "classes in a set"

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data."""
        return asdict(self) | {"curve": [{"answered": share, "wrong": wrong} for share, wrong in self.curve]}

    def sentences(self) -> tuple[str, ...]:
        """What was measured, and on what."""
        on = counted(self.checked, "other row") if self.checked else f"{SPLITS} random halves of them"
        rows = counted(self.rows, "calibration row")
        first = f"What it promises rests on {rows} ({self.source}), which taught it nothing."
        if not self.covered:
            return (first, "They are too few to say what comes of it.")
        return (first, f"What comes of it was measured on {on}.")

    def tables(self) -> list[tuple[list[tuple[str, ...]], str]]:
        """Tables of text with a head, each with its title."""
        grids = [(self._coverage(), "Coverage"), (self._answers(), "Abstention")]
        return [([grid.columns, *grid.rows], title) for grid, title in grids if grid.rows]

    def section(self) -> Section:
        """A part of the report: coverage, and what abstention costs."""
        answers = self._answers()
        said = [f"Wrong answers at most {error}: answered {share} ({how})." for error, share, how in answers.rows]
        curve = "; ".join(f"{share:.0%} answered: {wrong:.1%} wrong" for share, wrong in self.curve)
        more = (f"The surest rows first: {curve}.",) if curve else ()
        return Section("When it is sure", (*self.sentences(), *said, *more), self._coverage())

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
                "none" if one.answered is None else f"{one.answered:.1%}",
                "more calibration rows are needed" if one.answered is None else f"--abstain {one.error:g}",
            )
            for one in self.answers
        ]
        return Grid(("wrong at most", "answered", "how"), tuple(rows))


def measured(task: Task, rows: Calibration, others: Calibration | None = None, seed: int = 0) -> Measured:
    """others: labelled rows on which to measure; left out, random halves of the calibration rows serve in turn."""
    number = task.answer == "number"
    covered = [found for coverage in COVERAGES if (found := _covered(task, rows, others, coverage, seed)) is not None]
    return Measured(
        rows.source,
        len(rows),
        0 if others is None else len(others),
        tuple(covered),
        () if number else tuple(Answers(error, _answered(task, rows, error)) for error in ERRORS),
        () if number else tuple(_curve(task, rows if others is None else others)),
        {"number": "mean width", "classes": "labels in a set"}.get(task.answer, "classes in a set"),
    )


def covers(task: Task, rows: Calibration, others: Calibration, coverage: float) -> tuple[np.ndarray, np.ndarray]:
    """Of other rows (N,): whether the truth is within what these promise, and how much that is (classes, or a width).

    Raises UsageError where the rows are too few.
    """
    if task.answer == "number":
        low, high = conformal_intervals(task, rows, coverage).bounds(others.kept)
        return (low <= others.truth) & (others.truth <= high), high - low
    sets = conformal_sets(task, rows, coverage).chosen(others.kept)
    if task.answer == "classes":
        held = (sets | (others.truth == 0)).all(axis=1)
    else:
        held = sets[np.arange(len(others)), others.truth]
    return held, sets.sum(axis=1)


def _covered(task: Task, rows: Calibration, others: Calibration | None, coverage: float, seed: int) -> Covered | None:
    """None where the rows are too few for it."""
    try:
        if others is not None:
            parts = [covers(task, rows, others, coverage)]
        else:
            parts = [covers(task, one, other, coverage) for one, other in _halves(rows, seed)]
    except UsageError:
        return None
    held, sizes = (np.concatenate(found) for found in zip(*parts, strict=True))
    if task.answer == "number":
        return Covered(coverage, float(held.mean()), float(sizes.mean()))
    return Covered(
        coverage, float(held.mean()), float(sizes.mean()), float((sizes == 0).mean()), float((sizes == 1).mean())
    )


def _halves(rows: Calibration, seed: int) -> list[tuple[Calibration, Calibration]]:
    draw, found = np.random.default_rng(seed), []
    for _ in range(SPLITS):
        order = draw.permutation(len(rows))
        middle = (len(rows) + 1) // 2
        found.append((rows.part(order[:middle]), rows.part(order[middle:])))
    return found if len(rows) > 1 else []


def _answered(task: Task, rows: Calibration, error: float) -> float | None:
    found = sgr(doubts(task, rows.kept), mistakes(task, rows), error, 1.0 - CONFIDENCE)
    return found.answered / found.rows if found.bound <= error else None


def _curve(task: Task, rows: Calibration) -> list[tuple[float, float]]:
    """Which share of the answers is wrong when only so many of the rows are answered, the surest ones."""
    ordered = mistakes(task, rows)[np.argsort(doubts(task, rows.kept), kind="stable")]
    counts = [max(1, round(share * len(rows))) for share in ANSWERED]
    return [(share, float(ordered[:count].mean())) for share, count in zip(ANSWERED, counts, strict=True)]
