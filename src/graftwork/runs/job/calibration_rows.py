"""Rows that are held out beyond the validation rows, to say how sure a model is: they teach and choose nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from graftwork.data.table import Table
from graftwork.errors import DataError, UsageError
from graftwork.evidence.sure.calibration import can_be_calibrated, kinds_of
from graftwork.recipe import Recipe
from graftwork.runs.job.held_out import hold_out
from graftwork.tasks.task import Task


def hold_out_calibration(parts: dict[str, Table], tasks: Mapping[str, Task], recipe: Recipe) -> list[str]:
    """Move `calibration_share` of the training rows to a part of their own, drawn as validation rows are; notes of it.

    The share is of all rows that there were before some were held out. Raises UsageError for tasks without sets and
    intervals, DataError where no rows can be spared.
    """
    if not recipe.calibration_share:
        return []
    if not any(map(can_be_calibrated, tasks.values())):
        raise UsageError(
            "calibration_share is for classes, label sets and numbers, one a row; not for "
            f"{kinds_of(tasks)}. Leave it out."
        )
    train = parts["train"]
    held = 0 if "valid" not in parts or parts["valid"].source != train.source else len(parts["valid"])
    share = min(recipe.calibration_share * (len(train) + held) / len(train), 0.9)
    try:
        found, note = hold_out(train, tasks, replace(recipe, valid_share=share, calibration_share=0.0))
    except DataError as error:
        advice = "Or leave it out: graft calibrate takes a table of its own."
        raise DataError(f"calibration_share: {error} {advice}") from None
    if found:
        parts.update(train=found["train"], calibration=found["valid"])
    return [note.replace("validation:", "calibration:", 1)]
