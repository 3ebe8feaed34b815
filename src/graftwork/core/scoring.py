"""Predictions of a network over prepared rows, and the score of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from graftwork.core.parallel.gathering import all_rows
from graftwork.core.parallel.workers import ALONE, Workers
from graftwork.core.plan import order
from graftwork.core.rows.corruption import corruption
from graftwork.core.rows.examples import Cached, Examples, make_batch, running
from graftwork.core.technique import Predictor, Rows, Technique
from graftwork.data.batch import Batch
from graftwork.data.store.ragged import Ragged
from graftwork.data.tensors import Tensors, one_tensor
from graftwork.data.values import Collector, Values
from graftwork.networks.features import Features
from graftwork.networks.network import Forward, Network
from graftwork.tasks.metrics.metric import Metric
from graftwork.tasks.metrics.registry import metric_for
from graftwork.tasks.metrics.registry import score as metric_score
from graftwork.tasks.task import Task

BATCH_ROWS = 512
ROW_FEATURES = "\0row features"
"""Among predictions by target, the features that the heads read of each row; no column is called so."""

Watch = Callable[[int, int], None]
"""Told how many rows are done, of how many."""


def part_of(watch: Watch | None, before: int, total: int) -> Watch | None:
    """The watch of a part of the rows, `before` of which are done already."""
    return None if watch is None else lambda done, _: watch(before + done, total)


def predict_examples(
    network: Network,
    examples: Examples,
    techniques: Sequence[Technique] = (),
    cached: Mapping[str, Cached] | None = None,
    embedded: Collection[str] = (),
    rows: np.ndarray | None = None,
    changed: Callable[[Batch], Batch] | None = None,
    watch: Watch | None = None,
    tasks: Mapping[str, Task] | None = None,
    features: bool = False,
    workers: Workers = ALONE,
) -> dict[str, Values]:
    """By target, what its task keeps of the predictions of every row in order: (N, outputs), float32, before softmax.

    tasks: of the targets whose predictions are not one tensor with a row each; one that hides some of its inputs hides
    the same each time, unless `changed` does it. embedded: targets of which the
    embeddings (N, E), what the last layer of the head reads, are given instead.
    rows: indices of the rows to predict; None for all. changed: what is done to each batch first.
    watch: told after each batch how many rows are done, of how many. features: also, under `ROW_FEATURES`, the features
    of each row (N, width) from the same pass. workers: compute a part each, and get all; where something is drawn or
    learned on the way, each computes all, so that the numbers are those of one process.
    """
    rows = np.arange(len(examples)) if rows is None else rows
    changed = corruption(tasks or {}, network) if changed is None else changed
    training = network.training
    network.eval()
    own = {name: task for name, task in (tasks or {}).items() if name not in embedded}
    workers = ALONE if changed is not None or any(one.acts_at_prediction for one in techniques) else workers
    mine = np.zeros(len(rows), bool)
    kept, done = {name: Collector(len(rows)) for name in (*network.targets, *([ROW_FEATURES] if features else []))}, 0
    with torch.no_grad():  # not inference mode, in which a technique could not switch gradients on
        forward, given = prediction(network, examples, rows, techniques, cached, embedded, changed, features)
        for whole in network.pass_batches(examples.lengths[rows], BATCH_ROWS, running(network, cached)):
            indices = workers.part(whole)
            mine[indices] = True
            for target, values in forward.predict(given.batch(indices)).predictions.items():
                kept[target].put(indices, own[target].keep(values) if target in own else as_array(values))
            done += len(whole)
            if watch is not None:
                watch(done, len(rows))
    nothing = {name: np.zeros((0, width), np.float32) for name, width in _widths(network, embedded, features).items()}
    network.train(training)
    found = {name: one.values(nothing[name]) for name, one in kept.items()}
    if workers.count == 1 or not len(rows):
        return found
    places = np.flatnonzero(mine)
    parts = {name: values if isinstance(values, Ragged) else values[mine] for name, values in found.items()}
    return {name: all_rows(values, places, len(rows), workers) for name, values in parts.items()}


def as_array(predictions: Tensors) -> np.ndarray:
    """A tensor (B, ...) in float32: what is kept of predictions that are one."""
    kept: np.ndarray = one_tensor(predictions).float().cpu().numpy()
    return kept


def prediction(
    network: Network,
    examples: Examples,
    rows: np.ndarray,
    techniques: Sequence[Technique] = (),
    cached: Mapping[str, Cached] | None = None,
    embedded: Collection[str] = (),
    changed: Callable[[Batch], Batch] | None = None,
    features: bool = False,
) -> tuple[Forward, Rows]:
    """The forward that predicts these rows with what the techniques do at prediction, and the rows as they see them.

    The network should be in eval mode, as it is in a prediction.
    """
    domain = None if examples.domain is None else examples.domain[rows]

    def batch(picked: np.ndarray) -> Batch:
        made = make_batch(examples, network, rows[picked], cached)
        return made if changed is None else changed(made)

    given = Rows(len(rows), batch, domain)
    predictor: Predictor = lambda one: _with_features(_with_embeddings(one, embedded), features)
    for technique in reversed(order(techniques)):
        predictor = technique.predict(predictor, given)
    return predictor(network), given


def _widths(network: Network, embedded: Collection[str], features: bool) -> dict[str, int]:
    """By target, the numbers a row that are given of it."""
    nothing = Features(torch.zeros(0, network.width, device=network.device))
    widths = {ROW_FEATURES: network.width} if features else {}
    return widths | {
        name: head.embed(nothing).shape[1] if name in embedded else head.outputs for name, head in network.each_head()
    }


def _with_embeddings(network: Network, embedded: Collection[str]) -> Forward:
    """The network's forward; embeddings are heads of it, so that means over views are means of embeddings too."""
    plain, heads = network.as_forward(), dict(network.each_head())
    if not embedded:
        return plain
    return Forward(
        plain.features,
        lambda seen, batch: network.generated(seen, batch) | {name: heads[name].embed(seen) for name in embedded},
    )


def _with_features(forward: Forward, wanted: bool) -> Forward:
    """The same, which gives what its heads read beside their predictions."""
    heads = forward.generate or forward.heads
    if not wanted:
        return forward
    return Forward(forward.features, lambda seen, batch: {**heads(seen, batch), ROW_FEATURES: seen.rows})


def probabilities(task: Task, kept: Values, temperature: float = 1.0) -> Any:
    """`task.in_units`: what people read of predictions (N, outputs)."""
    return task.in_units(kept, temperature)


def compared_targets(tasks: Mapping[str, Task]) -> list[str]:
    """The targets whose rows are compared by their embeddings, so that metrics read those."""
    return [name for name, task in tasks.items() if task.holds_out == "classes"]


def scored(task: Task, kept: Values, temperature: float = 1.0) -> Any:
    """`task.scored`: what metrics read of predictions (N, outputs), or of an open set's embeddings (N, E)."""
    return task.scored(kept, temperature)


def score(
    predictions: Mapping[str, Values],
    examples: Examples,
    tasks: Mapping[str, Task],
    metrics: Mapping[str, str],
    known: Mapping[str, float] | None = None,
) -> float:
    """Each target's metric on its labelled rows, and the mean over the targets; always so that more is better.

    A target without a labelled row does not count. known: scores of targets that are not made from predictions.
    """
    values = list((known or {}).values())
    for name, task in tasks.items():
        if known and name in known:
            continue
        mask = examples.labelled[name]
        if not mask.any():
            continue
        given = scored(task, predictions[name][mask])
        value = metric_score(task, metrics[name], examples.targets[name][mask], given)
        values.append(value if metric_for(metrics[name], task).higher_is_better else -value)
    return float(np.mean(values))


def shown_score(score: float, metrics: Mapping[str, Metric]) -> float:
    """What `score` gives, as the metric itself has it: the error of a single target is positive again."""
    errors = [not metric.higher_is_better for metric in metrics.values()]
    return -score if errors == [True] else score
