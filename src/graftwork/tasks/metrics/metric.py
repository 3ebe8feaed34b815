"""What a metric is: of truth and predictions it makes a scorer, which scores many weightings of the rows at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Scorer = Callable[[np.ndarray], np.ndarray]
"""Weights (R, N) -> scores (R,): R weightings of N rows."""


@dataclass(frozen=True)
class Metric:
    """A score.

    scorer: (truth, given) -> (weights (R, N) -> scores (R,)). reads: whether `given` is what `task.predicted` makes of
    what is compared, or that itself: the probabilities, the embeddings of an open set, the scores of episodes (E,), or
    whatever else the task keeps of a row (`kept`). display: the name in reports.
    unit: "percent" is shown times 100, "own" is in the units of the target, "plain" is neither. mean_of_classes: True
    where every class counts alike, however rare. least_classes: with fewer it says nothing, and is left out of reports.
    meaning: what it says, in a line for people; those of the library have theirs in `graftwork.evidence.page.terms`.
    suits: facts of a task; every task that has them has the metric too, behind those that it names itself.
    interval: (truth, given, level) -> its own interval of independent rows, where a bootstrap would not do; None where
    it would.
    """

    name: str
    scorer: Callable[[Any, Any], Scorer]
    reads: Literal["choices", "probabilities", "embeddings", "episodes", "kept"]
    higher_is_better: bool
    display: str
    unit: Literal["percent", "plain", "own"] = "percent"
    least_classes: int = 0
    mean_of_classes: bool = False
    meaning: str = ""
    suits: frozenset[str] | None = None
    interval: Callable[[Any, Any, float], tuple[float, float] | None] | None = None

    def suited_to(self, facts: frozenset[str]) -> bool:
        """Whether a task with these facts has it without naming it."""
        return self.suits is not None and self.suits <= facts

    def __call__(self, truth: Any, given: Any) -> float:
        """The score of rows that count alike."""
        return float(self.scorer(truth, given)(np.ones((1, len(truth))))[0])

    def text(self, value: float) -> str:
        """A score for people.

        >>> share = Metric("accuracy", mean_of_rows, "choices", True, "Accuracy")
        >>> share.text(0.93604), Metric("rmse", mean_of_rows, "choices", False, "Error", "own").text(12345.6)
        ('93.6 %', '12,346')
        """
        if self.unit == "percent":
            return f"{100 * value:.1f} %"
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:#.3g}".rstrip(".")


class OfSums(ABC):
    """A scorer of sums over rows, so that what one row adds is known."""

    @property
    @abstractmethod
    def statistics(self) -> np.ndarray:
        """What each row adds to each sum (N, S)."""

    def with_one_changed(self, times: np.ndarray, changed: np.ndarray) -> np.ndarray:
        """Sums (R, S) of the first rows, each there so often (T,), where of each weighting one of `changed` (R,)
        is replaced by one of the R rows behind them."""
        added = self.statistics
        sums: np.ndarray = times @ added[: len(times)] - added[changed] + added[len(times) :]
        return sums

    @abstractmethod
    def of_sums(self, sums: np.ndarray, total: np.ndarray) -> np.ndarray:
        """The scores (R,) of sums (R, S) over rows of this weight in all (R,)."""

    @abstractmethod
    def __call__(self, weights: np.ndarray) -> np.ndarray:
        """Weights (R, N) -> scores (R,)."""


@dataclass(frozen=True, eq=False)
class MeanOfRows(OfSums):
    """Weighted means of numbers (N,)."""

    numbers: np.ndarray

    @property
    def statistics(self) -> np.ndarray:
        return self.numbers[:, None]

    def of_sums(self, sums: np.ndarray, total: np.ndarray) -> np.ndarray:
        means: np.ndarray = sums[:, 0] / total
        return means

    def __call__(self, weights: np.ndarray) -> np.ndarray:
        means: np.ndarray = (weights @ self.numbers) / weights.sum(axis=1)
        return means


@dataclass(frozen=True, eq=False)
class RatioOfSums(OfSums):
    """A ratio of the sums of statistics (N, S)."""

    numbers: np.ndarray
    ratio: Callable[[np.ndarray], np.ndarray]

    @property
    def statistics(self) -> np.ndarray:
        return self.numbers

    def of_sums(self, sums: np.ndarray, total: np.ndarray) -> np.ndarray:
        return np.asarray(self.ratio(sums))

    def __call__(self, weights: np.ndarray) -> np.ndarray:
        return np.asarray(self.ratio(weights @ self.numbers))


def mean_of_rows(values: np.ndarray) -> Scorer:
    """Weighted means of one number a row (N,)."""
    return MeanOfRows(values.astype(np.float64))


def from_sums(statistics: np.ndarray, ratio: Callable[[np.ndarray], np.ndarray]) -> Scorer:
    """A scorer of what is a ratio of sums over rows: F1 of entities, a word error rate, a mean over a row's units.

    statistics (N, S): of each row its share of each sum, such as right, true and predicted entities. ratio: sums (R, S)
    of R weightings -> scores (R,). A resample weighs the statistics, so that nothing is counted anew.
    """
    return RatioOfSums(np.asarray(statistics, np.float64), ratio)
