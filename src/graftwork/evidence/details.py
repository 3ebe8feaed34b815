"""What is told of scored rows beside their scores, by what a task answers: classes, numbers, pairs, searches, episodes.

`Evaluation.details` holds one of these. A task with an answer of its own has none, and tells its part by sections.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from graftwork.data.episodes import Episodes
from graftwork.errors import DataError
from graftwork.evidence.scores.breakdown import Bin, ClassScore, Pair, class_scores, confused_pairs, reliability
from graftwork.evidence.scores.examples import Rows
from graftwork.evidence.scores.number_errors import NumberErrors, number_errors
from graftwork.evidence.scores.verification import Verification, verification
from graftwork.tasks.capabilities import Verifies
from graftwork.tasks.task import Task

_POINTS = 1000


@dataclass(frozen=True)
class LabelDetails:
    """Of any number of classes a row. per_class: how often each is found. reliability: are probabilities honest?"""

    per_class: tuple[ClassScore, ...] = ()
    reliability: tuple[Bin, ...] = ()

    @property
    def classes(self) -> tuple[str, ...]:
        """Their names, in order."""
        return tuple(one.label for one in self.per_class)

    @property
    def uncovered(self) -> tuple[str, ...]:
        """Classes that no row has, of which the scores say nothing."""
        return tuple(one.label for one in self.per_class if not one.rows)


@dataclass(frozen=True)
class ClassDetails(LabelDetails):
    """Of one class a row. pairs: what is taken for what. commonest: the share of the rows that have the most frequent
    class, which is the accuracy of always answering it."""

    pairs: tuple[Pair, ...] = ()
    commonest: float = 0.0


@dataclass(frozen=True)
class NumberDetails:
    """Of a number a row. points: (truth, predicted), at most 1,000 rows. errors: how far it is off."""

    points: tuple[tuple[float, float], ...]
    errors: NumberErrors


@dataclass(frozen=True)
class SearchDetails:
    """Of rows that are found by each other: all is in the scores."""


@dataclass(frozen=True)
class EpisodeDetails:
    """Of episodes that were scored in place of rows. shape: how they were drawn."""

    shape: Episodes


Details = LabelDetails | ClassDetails | NumberDetails | Verification | SearchDetails | EpisodeDetails | None


def details_of(task: Task, truth: Any, given: Any, rows: Rows, seed: int) -> Details:
    """Of labelled rows; truth, given: as `task.metric_inputs` gives them.

    Raises DataError where rows are to be compared, and no two of them are of one kind.
    """
    if task.holds_out == "classes":
        return _of_pairs(task, truth, given, rows)
    if task.answer == "own":
        return None
    if task.answer == "likeness":
        return SearchDetails()
    chosen = task.predicted(given)
    if task.answer == "class":
        return ClassDetails(
            class_scores(truth, chosen, task.classes),
            reliability(truth, given),
            confused_pairs(truth, chosen, task.classes),
            float(np.bincount(truth).max() / len(truth)),
        )
    if task.answer == "classes":
        return LabelDetails(class_scores(truth, chosen, task.classes), reliability(truth, given))
    return NumberDetails(_points(truth, chosen, seed), number_errors(truth, chosen))


def _of_pairs(task: Task, truth: np.ndarray, embeddings: np.ndarray, rows: Rows) -> Verification:
    """Pairs of rows, compared by their embeddings."""
    calibration = task.calibration if isinstance(task, Verifies) else None
    _, counts = np.unique(truth, return_counts=True)
    if len(counts) < 2 or counts.max() < 2:
        raise DataError(
            f"The {len(truth):,} rows show {len(counts):,} different identities, of which the largest has "
            f"{counts.max():,} rows. Expected two rows of one identity at least, and rows of another one."
        )
    return verification(truth, embeddings, rows, calibration.threshold if calibration else None)


def _points(truth: np.ndarray, predicted: np.ndarray, seed: int) -> tuple[tuple[float, float], ...]:
    picked = np.arange(len(truth))
    if len(truth) > _POINTS:
        picked = np.sort(np.random.default_rng(seed).choice(len(truth), _POINTS, replace=False))
    return tuple(zip(truth[picked].tolist(), predicted[picked].tolist(), strict=True))
