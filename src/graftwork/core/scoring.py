"""Predictions of a network over prepared rows, and the score of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import torch

from graftwork.core.examples import Cached, Examples, make_batch, running
from graftwork.core.plan import order
from graftwork.core.technique import Technique
from graftwork.networks.network import Forward, Network
from graftwork.tasks.metrics import METRICS
from graftwork.tasks.metrics import score as metric_score
from graftwork.tasks.task import Task

BATCH_ROWS = 512


def predict_examples(
    network: Network,
    examples: Examples,
    techniques: Sequence[Technique] = (),
    cached: Mapping[str, Cached] | None = None,
    embedded: Collection[str] = (),
    rows: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """By target, the predictions before softmax of every row in order (N, outputs), float32.

    embedded: targets of which the embeddings (N, E), what the last layer of the head reads, are given instead.
    rows: indices of the rows to predict; None for all.
    """
    rows = np.arange(len(examples)) if rows is None else rows
    training = network.training
    network.eval()
    heads = dict(network.each_head())
    widths = {name: head.outputs for name, head in heads.items()}
    forward = plain = network.as_forward()
    if embedded:
        # As heads of the forward, so that what techniques do at prediction (means over views) is done to embeddings.
        nothing = torch.zeros(0, network.width, device=network.device)
        widths.update({name: heads[name].embed(nothing).shape[1] for name in embedded})
        forward = Forward(
            plain.features, lambda seen: plain.heads(seen) | {name: heads[name].embed(seen) for name in embedded}
        )
    outputs = {name: np.zeros((len(rows), width), np.float32) for name, width in widths.items()}
    for technique in reversed(order(techniques)):
        forward = technique.predict(forward)
    with torch.inference_mode():
        for indices in network.pass_batches(examples.lengths[rows], BATCH_ROWS, running(network, cached)):
            output = forward(make_batch(examples, network, rows[indices], cached))
            for target, values in output.predictions.items():
                outputs[target][indices] = values.cpu().numpy()
    network.train(training)
    return outputs


def probabilities(task: Task, predictions: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """`task.probabilities` on arrays (N, outputs)."""
    with torch.inference_mode():
        result: np.ndarray = task.probabilities(torch.from_numpy(predictions), temperature).numpy()
    return result


def open_sets(tasks: Mapping[str, Task]) -> list[str]:
    """The targets whose metrics read embeddings."""
    return [name for name, task in tasks.items() if task.open_set]


def scored(task: Task, values: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """`task.scored` on arrays: what metrics read of predictions (N, outputs), or of an open set's embeddings (N, E)."""
    with torch.inference_mode():
        result: np.ndarray = task.scored(torch.from_numpy(values), temperature).numpy()
    return result


def score(
    predictions: Mapping[str, np.ndarray], examples: Examples, tasks: Mapping[str, Task], metrics: Mapping[str, str]
) -> float:
    """Each target's metric on its labelled rows, and the mean over the targets; always so that more is better.

    A target without a labelled row does not count.
    """
    values = []
    for name, task in tasks.items():
        mask = examples.labelled[name]
        if not mask.any():
            continue
        given = scored(task, predictions[name][mask])
        value = metric_score(task, metrics[name], examples.targets[name][mask], given)
        values.append(value if METRICS[metrics[name]].higher_is_better else -value)
    return float(np.mean(values))


def shown_score(score: float, metrics: Mapping[str, str]) -> float:
    """What `score` gives, as the metric itself has it: the error of a single target is positive again."""
    errors = [not METRICS[metric].higher_is_better for metric in metrics.values()]
    return -score if errors == [True] else score
