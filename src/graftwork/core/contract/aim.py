"""What a technique raises in place of the loss, told so that evidence can judge it by that, and by what it costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graftwork.data.table import Table
from graftwork.tasks.costs import CostMatrix
from graftwork.tasks.metrics.metric import Metric

Judge = Callable[[Sequence[Any], Table], np.ndarray]
"""(answers of N rows as the target column has them, their table) -> a number a row (N,), more is better."""


@dataclass(frozen=True)
class Aim:
    """Of one target; exactly one of the three.

    metric: of choices, or of whatever else the task keeps. costs: what answers cost. judge: what answers are worth.
    called: the metric, the file, the function, as a reader knows it.
    """

    called: str
    metric: Metric | None = None
    costs: CostMatrix | None = None
    judge: Judge | None = None
