"""From a finished run to a model."""

from __future__ import annotations

from graftwork.model import Model
from graftwork.runs.held_out import encoded
from graftwork.runs.job import Job
from graftwork.runs.single import Candidate
from graftwork.tasks.calibration import fit_temperature


def make_model(job: Job, best: Candidate, *, interrupted: bool = False) -> Model:
    """The model of a finished run, its probabilities (of open sets its thresholds) calibrated on validation."""
    tasks, temperature = dict(job.tasks), {}
    if best.predictions is not None and job.valid is not None:
        for name, task in job.tasks.items():
            truth, labelled = encoded(job.valid, name, task)
            values = best.predictions[name][labelled]
            tasks[name] = task.calibrated(values, truth[labelled])
            temperature[name] = fit_temperature(values, truth[labelled], task)
    return Model(
        recipe=best.recipe,
        schema=job.train.schema,
        network=best.network,
        tasks=tasks,
        temperature=temperature,
        interrupted=interrupted,
    )
