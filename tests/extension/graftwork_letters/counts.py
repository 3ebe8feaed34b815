"""Counts: a regression whose answers are whole numbers from 0 on, and a metric of how many are off by one at most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from graftwork.extend import Metric, Scorer, mean_of_rows
from graftwork.tasks.regression import Regression


def within_one(truth: np.ndarray, predicted: np.ndarray) -> Scorer:
    """Share of rows whose number, rounded, is off by one at most."""
    return mean_of_rows(np.abs(truth - predicted.round()) <= 1)


WITHIN_ONE = Metric("within_one", within_one, "choices", True, "Within one", suits=frozenset({"real_targets"}))


@dataclass(frozen=True, kw_only=True)
class Counts(Regression):
    """How many; predicted as a regression, and rounded."""

    name: ClassVar[str] = "counts"

    def decode(self, kept: np.ndarray) -> list[Any]:
        return [max(0, round(value)) for value in super().decode(kept)]
