"""What a network costs to serve here: the time that one row takes, and the bytes and numbers of its weights."""

from __future__ import annotations

import time
from statistics import median
from typing import NamedTuple

import numpy as np

from graftwork.core.rows.examples import prepare
from graftwork.core.scoring import predict_examples
from graftwork.data.table import Table
from graftwork.networks.network import Network
from graftwork.recipe import Recipe
from graftwork.runs.job.job import Job

ROWS, WARM = 7, 2
"""Rows that are timed, each by itself, and rows before them that are not."""
LONGEST = 2.0
"""Seconds after which no further row is timed."""


class Measures(NamedTuple):
    """latency: seconds to predict one row by itself, median. size: bytes of the weights as they are saved. parameters:
    how many numbers the network has."""

    latency: float
    size: int
    parameters: int


def measures_of(job: Job, recipe: Recipe, network: Network, table: Table) -> Measures:
    """Of a network as it predicts. table: rows like those that it will see; at least one."""
    size = sum(tensor.numel() * tensor.element_size() for tensor in network.state_dict().values())
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return Measures(latency_of(job, recipe, network, table), size, parameters)


def latency_of(job: Job, recipe: Recipe, network: Network, table: Table) -> float:
    """Seconds from a row as it stands in the table to what is predicted of it; the median over a few rows."""
    spread = np.linspace(0, len(table) - 1, min(ROWS, len(table))).astype(np.int64)
    rows, seconds, began = [table.take(np.array([at])) for at in spread], list[float](), time.perf_counter()
    for row in [*(rows * WARM)[:WARM], *rows]:
        begun = time.perf_counter()
        examples = prepare(row, network, {}, recipe.text, keep_on_disk=False)
        predict_examples(network, examples, recipe.listed, tasks=job.tasks)
        seconds.append(time.perf_counter() - begun)
        if len(seconds) > WARM and time.perf_counter() - began > LONGEST:
            break
    return median(seconds[WARM:])
