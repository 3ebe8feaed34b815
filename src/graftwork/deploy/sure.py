"""The columns that `graft predict` adds to say what is promised: sets, intervals, and rows without an answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from graftwork.data.table import Table
from graftwork.errors import UsageError

if TYPE_CHECKING:
    from graftwork.core.judging.predicted import Predicted
    from graftwork.evidence.sure.asked import Method
    from graftwork.evidence.sure.promises import Promises
    from graftwork.model import Model

SET, LOW, HIGH = "prediction_set", "prediction_low", "prediction_high"
ABSTAINED = "abstained"
"""The reason why a prediction is empty that was too doubtful to be given."""


@dataclass(frozen=True)
class Asked:
    """coverage: of sets and intervals. abstain: the share of the answers that may be wrong. None for neither. method:
    of the sets."""

    coverage: float | None = None
    abstain: float | None = None
    method: Method = "lac"

    @property
    def anything(self) -> bool:
        """Whether something is to be promised."""
        return self.coverage is not None or self.abstain is not None

    def check(self, techniques: bool) -> None:
        """Raise UsageError for what is seen to be wrong before a model is loaded, which takes seconds. techniques:
        whether some are added at prediction."""
        from graftwork.evidence.sure.asked import CONFIDENCE, METHODS, check_coverage, check_error

        if self.coverage is not None:
            check_coverage(self.coverage)
        if self.abstain is not None:
            check_error(self.abstain, CONFIDENCE)
        if self.method not in METHODS:
            raise UsageError(f"--sets {self.method}: expected lac or aps.")
        if self.anything and techniques:
            raise UsageError(
                "The calibration rows were predicted without the techniques of --with, so nothing can be promised with "
                "them. Leave --with out, or in Python: model.predicting_with(...).calibrated_on(table)."
            )

    def of(self, model: Model) -> Promises | None:
        """What is promised of a model's predictions; None where nothing is asked."""
        from graftwork.evidence.sure.promises import promises

        if not self.anything:
            return None
        return promises(
            model.tasks, model.calibration, coverage=self.coverage, method=self.method, abstain=self.abstain
        )


def promised_columns(promised: Promises, target: str, kept: np.ndarray | None, of: str) -> dict[str, pa.Array]:
    """Of one target: prediction_set, a list of classes; or of numbers prediction_low and prediction_high.

    kept: what the model says of the rows (N, outputs), NaN where it can't. of: what stands behind names where there are
    several targets.
    """
    if kept is None:
        return {}
    if target in promised.sets:
        return {f"{SET}{of}": pa.array(promised.sets_of(target, kept), pa.list_(promised.label_type(target)))}
    if target in promised.intervals:
        ends = promised.intervals[target].bounds(kept)
        return {f"{name}{of}": pa.array(end, mask=np.isnan(end)) for name, end in zip((LOW, HIGH), ends, strict=True)}
    return {}


def without_abstained(
    model: Model, chunk: Table, predicted: Predicted, promised: Promises
) -> tuple[Predicted, dict[int, str]]:
    """The predictions less those that are too doubtful, and by row number the reason for that."""
    values, silent = dict(predicted.each_values), dict[str, np.ndarray]()
    for target in promised.abstention:
        silent[target] = promised.abstains(target, predicted.each_probabilities.get(target), len(chunk))
        values[target] = [None if no else value for value, no in zip(values[target], silent[target], strict=True)]
    return replace(predicted, each_values=values), abstained_reasons(model, chunk, silent)


def abstained_reasons(model: Model, chunk: Table, silent: Mapping[str, np.ndarray]) -> dict[int, str]:
    """By row number why a prediction is empty. silent: by target, which rows are not answered (N,)."""
    reasons = dict[int, list[str]]()
    for target, rows in silent.items():
        for row in chunk.rows[rows].tolist():
            reasons.setdefault(row, []).append(target)
    several = len(model.tasks) > 1
    return {row: f"{ABSTAINED}: {', '.join(targets)}" if several else ABSTAINED for row, targets in reasons.items()}
