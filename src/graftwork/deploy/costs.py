"""What `graft predict --costs` makes of predictions: the cheapest choices, rows left open, and what is expected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from graftwork.data.table import Table
from graftwork.deploy.sure import abstained_reasons
from graftwork.tasks.costs import CostMatrix

if TYPE_CHECKING:
    from graftwork.core.judging.predicted import Predicted
    from graftwork.model import Model

EXPECTED_COST = "expected_cost"


def with_decisions(
    model: Model, chunk: Table, predicted: Predicted, costs: Mapping[str, CostMatrix]
) -> tuple[Predicted, dict[int, str]]:
    """The predictions with the choices of least expected cost, and by row number why there is none."""
    from graftwork.core.judging.decided import choices, decided

    silent = {
        target: choices(predicted.each_probabilities[target], matrix) >= len(matrix.classes)
        for target, matrix in costs.items()
    }
    return decided(predicted, model.tasks, costs), abstained_reasons(model, chunk, silent)


def least_cost(probabilities: np.ndarray, costs: CostMatrix) -> np.ndarray:
    """The expected cost of the choice of each row (N,), NaN for rows without probabilities."""
    shares = probabilities.astype(np.float64)
    found: np.ndarray = (shares / shares.sum(axis=1, keepdims=True) @ costs.costs).min(axis=1)
    return found
