"""Which rows say how sure a fitted model is: those held out for it, else the test table, which chose nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from graftwork.data.table import Table
from graftwork.evidence.results import Result
from graftwork.evidence.sure.calibration import Calibration
from graftwork.evidence.sure.measured import measured
from graftwork.model import Model
from graftwork.predicting import scored_values
from graftwork.runs.finished.results import Given
from graftwork.runs.job.job import Job
from graftwork.sure import calibration_on


def with_calibration(job: Job, model: Model, given: Given) -> Model:
    """The model with calibration rows; as it is where there are none. given: what was held out, and predicted."""
    if job.calibration is not None:
        values = scored_values(model, job.calibration)
        found = calibration_on(model, job.calibration, values, f"held out of {_name(job.calibration)}")
    elif "test" in given:
        part = given["test"]
        found = calibration_on(model, part.table, part.values, f"the test table {_name(part.table)}")
    else:
        return model
    return replace(model, calibration=found)


def with_sections(job: Job, model: Model, given: Given, results: list[Result]) -> list[Result]:
    """The results, each with a section on what the model's sets, intervals and abstention come to.

    It is measured on the test table where the calibration rows are others; else on halves of them.
    """
    others: Mapping[str, Calibration] = {}
    if job.calibration is not None and "test" in given:
        others = calibration_on(model, given["test"].table, given["test"].values, "")
    return [_with_section(model, result, others.get(result.target)) for result in results]


def _with_section(model: Model, result: Result, others: Calibration | None) -> Result:
    rows = model.calibration.get(result.target)
    if rows is None:
        return result
    split, evaluation = result.headline
    section = measured(model.tasks[result.target], rows, others).section()
    told = replace(evaluation, sections=(*evaluation.sections, section))
    return replace(result, evaluations={**result.evaluations, split: told})


def _name(table: Table) -> str:
    return Path(table.source).name
