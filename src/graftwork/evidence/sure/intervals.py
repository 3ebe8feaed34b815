"""Split-conformal intervals of numbers: from a number to a number, between which the truth lies as often as was asked.

Vovk et al. 2005; of quantiles, which make wide intervals where a row is hard, Romano, Patterson & Candès 2019 (CQR).
Of one number a row all intervals are of one width, on the scale on which the task learns: where that is the logarithm,
they are as wide as the number is large.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from graftwork.evidence.sure.asked import check_coverage
from graftwork.evidence.sure.calibration import Calibration
from graftwork.evidence.sure.conformal import check_rows, quantile
from graftwork.tasks.capabilities import Measures
from graftwork.tasks.task import Task


@dataclass(frozen=True)
class Intervals:
    """margin: by how much the outermost numbers of a row are moved apart, on the task's scale; below 0, together."""

    task: Task
    margin: float

    def bounds(self, kept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper ends (N,), float64, of predictions (N, outputs) as `Task.in_units` gives them."""
        low, high = _outer(self.task, kept)
        low, high = low - self.margin, high + self.margin
        middle = (low + high) / 2
        crossed = low > high
        return (
            _back(self.task, np.where(crossed, middle, low)),
            _back(self.task, np.where(crossed, middle, high)),
        )


def conformal_intervals(task: Task, rows: Calibration, coverage: float) -> Intervals:
    """The intervals of a task that predicts a number a row, or several quantiles of it.

    Raises UsageError for a coverage that is not between 0 and 1, and where rows are too few.
    """
    check_coverage(coverage)
    check_rows(len(rows), coverage)
    low, high = _outer(task, rows.kept)
    truth = _scaled(task, rows.truth)
    return Intervals(task, quantile(np.maximum(low - truth, truth - high), coverage))


def _outer(task: Task, kept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    scaled = _scaled(task, kept.astype(np.float64))
    return scaled[:, 0], scaled[:, -1]


def _scaled(task: Task, numbers: np.ndarray) -> np.ndarray:
    return task.on_scale(numbers) if isinstance(task, Measures) else numbers


def _back(task: Task, scaled: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):  # of a logarithm, an end that is not promised can be beyond all numbers
        return task.off_scale(scaled) if isinstance(task, Measures) else scaled
