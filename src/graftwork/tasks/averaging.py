"""What several models predict of the same rows, averaged; and for which tasks that means something."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from graftwork.tasks.task import Task


def why_not_averaged(task: Task) -> str:
    """Why predictions of several models of this task have no mean that says something; "" where they have."""
    if task.holds_out == "classes":
        return (
            f"the task {task.name} compares rows by their embeddings, and those of different models have no axis in "
            "common"
        )
    if "row_outputs" not in task.facts:
        return f"the task {task.name} predicts no classes or numbers of a row as a whole"
    return ""


def weighted_mean(found: Sequence[Any], weights: Sequence[float]) -> Any:
    """The mean of what `Task.in_units` gave of the same rows (N, outputs), by weights that sum to 1: calibrated
    probabilities stay probabilities, and quantiles stay in their order. It has the type of the first; what stands
    alone, of whatever form, is its own mean."""
    if len(found) == 1:
        return found[0]
    total = np.zeros(found[0].shape, np.float64)
    for one, weight in zip(found, weights, strict=True):
        total += weight * one
    return total.astype(found[0].dtype)
