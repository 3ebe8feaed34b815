"""What each input brings: the score with all of them, and with each one left out in turn.

An input that is left out is missing in every row: what the network has learned to put in its place stands there, or the
mean of the training rows. The difference is paired: both scores are of the same rows, and each draw of the bootstrap
takes the same rows for both.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from graftwork.core.rows.examples import Cached, Examples, make_batch
from graftwork.core.scoring import predict_examples, scored
from graftwork.core.technique import Technique
from graftwork.errors import UsageError, nearest
from graftwork.evidence.scores.intervals import Interval, difference
from graftwork.networks.network import Network
from graftwork.tasks.metrics.metric import Metric
from graftwork.tasks.metrics.registry import given_to, metric_for
from graftwork.tasks.task import Task

MOST_ROWS = 2000
"""Rows of a report's table on which each input is left out; more would cost more than they tell."""


@dataclass(frozen=True)
class Contribution:
    """name: the input's; columns: what it reads. score: with all inputs; without: with this one left out.

    gain: how much better the score is with it, in the metric's unit: above 0 it helps, whichever way the metric goes.
    metric: in which it is scored. learned: whether training rows lacked it, so that the model can do without.
    """

    name: str
    columns: tuple[str, ...]
    score: float
    without: float
    gain: Interval
    metric: Metric
    learned: bool

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data."""
        gain = self.gain.to_json()
        return {"columns": list(self.columns), "without": self.without, "gain": gain, "learned": self.learned}


def left_out(examples: Examples, names: Collection[str]) -> Examples:
    """The same rows, all of which lack these inputs."""
    nothing = np.zeros(len(examples), bool)
    return replace(examples, present={**examples.present, **dict.fromkeys(names, nothing)})


def known_inputs(network: Network, names: Collection[str]) -> tuple[str, ...]:
    """The inputs of these names. Raises UsageError for another name, and where nothing would be left."""
    for name in names:
        if name in network.columns:
            continue
        owner = next((one for one, columns in network.sources.items() if name in columns), None)
        reason = f"It is read as a part of '{owner}'." if owner else nearest(name, network.columns)
        raise UsageError(f"without: there is no input '{name}'. {reason}")
    if len(set(names)) == len(network.columns):
        raise UsageError(f"without: {', '.join(names)} is all that the model reads. Leave one input in.")
    return tuple(dict.fromkeys(names))


def contributions(
    network: Network,
    tasks: Mapping[str, Task],
    examples: Examples,
    metrics: Mapping[str, str],
    techniques: Sequence[Technique] = (),
    temperature: Mapping[str, float] | None = None,
    cached: Mapping[str, Cached] | None = None,
) -> dict[str, tuple[Contribution, ...]]:
    """By target, what each input brings on these rows; nothing for a network with one input.

    examples: prepared with the tasks, so that they hold targets. metrics: by target. temperature: as calibrated.
    cached: the features of every row, by input, where they are known.
    Targets that no row has, and those that no column holds, are left out.
    """
    rows = np.unique(np.linspace(0, len(examples) - 1, min(len(examples), MOST_ROWS)).astype(np.int64))
    usual = [name for name, task in tasks.items() if task.target == "column" and task.holds_out == "rows"]
    usual = [name for name in usual if name in examples.labelled and examples.labelled[name][rows].any()]
    if len(network.columns) < 2 or not usual:
        return {}
    some = cached or (_encoded(network, examples, rows) if all(t.predict_depth is None for t in techniques) else {})
    bound = {target: metric_for(metrics[target], tasks[target]) for target in usual}
    given = {}
    for name in ("", *network.columns):
        less = left_out(examples, {name} - {""})
        found = predict_examples(network, less, techniques, some, rows=rows, tasks=tasks)
        given[name] = {n: scored(task, found[n], (temperature or {}).get(n, 1.0)) for n, task in tasks.items()}
    return {
        target: tuple(
            _contribution(network, name, tasks[target], examples, rows, target, bound[target], given[""], given[name])
            for name in network.columns
        )
        for target in usual
    }


def _contribution(
    network: Network,
    name: str,
    task: Task,
    examples: Examples,
    rows: np.ndarray,
    target: str,
    metric: Metric,
    whole: Mapping[str, np.ndarray],
    less: Mapping[str, np.ndarray],
) -> Contribution:
    keep = examples.labelled[target][rows]
    truth = task.truth(examples.targets[target][rows][keep])
    first, second = (given_to(metric, task, values[target][keep]) for values in (whole, less))
    found = difference(metric, truth, first, second)
    alike = np.ones((1, len(truth)))
    values = [float(metric.scorer(truth, given)(alike)[0]) for given in (first, second)]
    return Contribution(
        name, network.sources[name], values[0], values[1], found, metric, name in network.missing_inputs
    )


def _encoded(network: Network, examples: Examples, rows: np.ndarray) -> dict[str, Cached]:
    """The features of these rows, by input, so that each encoder runs once however many inputs are left out in turn."""
    if network.reads_tokens:
        return {}
    kept = {name: np.zeros((len(examples), network.encoder(name).width), np.float32) for name in network.columns}
    training = network.training
    network.eval()
    with torch.inference_mode(), network.precision():
        for indices in network.pass_batches(examples.lengths[rows], 512, network.columns):
            batch = make_batch(examples, network, rows[indices])
            for name, values in kept.items():
                values[rows[indices]] = network.encoder(name)(batch.inputs[name]).float().cpu().numpy()
    network.train(training)
    return {name: Cached(network.encoder(name).depth, values) for name, values in kept.items()}
