"""From a finished run to a model."""

from __future__ import annotations

from graftwork.core.rows.examples import encoders_of
from graftwork.data.table import Schema
from graftwork.model import Model
from graftwork.networks.network import Network
from graftwork.runs.job.held_out import encoded
from graftwork.runs.job.job import Job
from graftwork.runs.single.run import Candidate
from graftwork.tasks.temperature import fit_temperature


def make_model(job: Job, best: Candidate, *, interrupted: bool = False) -> Model:
    """The model of a finished run, its probabilities (of open sets its thresholds) calibrated on validation."""
    tasks, temperature = dict(job.tasks), {}
    if best.predictions is not None and job.valid is not None:
        for name, task in job.tasks.items():
            truth, labelled = encoded(job.valid, name, task, encoders_of(best.network, best.recipe.text))
            values = best.predictions[name][labelled]
            tasks[name] = task.calibrated(values, truth[labelled])
            temperature[name] = fit_temperature(values, truth[labelled], task)
    return Model(
        recipe=best.recipe,
        schema=_read(job.train.schema, best.network),
        network=best.network,
        tasks=tasks,
        temperature=temperature,
        interrupted=interrupted,
    )


def _read(schema: Schema, network: Network) -> Schema:
    """The schema less the inputs that the network does not read, which a prediction needs not have."""
    read = {column for columns in network.sources.values() for column in columns}
    return Schema(tuple(column for column in schema.columns if column.role is not None or column.name in read))
