"""Classes that training never had, learned from a few rows of them; and how well that goes, episode by episode."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch

from graftwork.core.judging.prototypes import means, with_prototypes
from graftwork.core.parallel.workers import ALONE, Workers
from graftwork.core.rows.examples import Cached, Examples, make_batch, running
from graftwork.core.scoring import BATCH_ROWS, compared_targets, predict_examples, score
from graftwork.core.technique import Technique
from graftwork.data.batch import Batch, whole
from graftwork.data.episodes import Episodes, draw, rows_by_class
from graftwork.networks.network import Network
from graftwork.tasks.task import Task


def learned(
    network: Network,
    examples: Examples,
    rows: np.ndarray,
    classes: np.ndarray,
    target: str,
    techniques: Sequence[Technique] = (),
    cached: Mapping[str, Cached] | None = None,
) -> Network:
    """A network whose head of `target` tells the classes of these rows (S,) apart: classes (S,), from 0 without a gap.

    As the technique does it that trained for this (`Technique.learn`); else by the nearest prototype, in cosines.
    The network given stays as it is; what is not learned is shared with it.
    """
    network.eval()
    batch = make_batch(examples, network, rows, cached)
    known = torch.from_numpy(np.asarray(classes, np.int64)).to(network.device)
    everywhere = torch.ones(len(rows), dtype=torch.bool, device=network.device)
    support = whole(replace(batch, targets={target: known}, labelled={target: everywhere}))
    for technique in techniques:
        found = technique.learn(network, support, target)
        if found is not None:
            return found.eval()
    with torch.no_grad():
        features = torch.nn.functional.normalize(network.features(support).rows, dim=1)
    return with_prototypes(network, target, means(features, known, int(known.max()) + 1), "cosine").eval()


def with_training_classes(
    network: Network,
    train: Examples,
    tasks: Mapping[str, Task],
    techniques: Sequence[Technique] = (),
    cached: Mapping[str, Cached] | None = None,
) -> Network:
    """The network, whose heads that no step has trained find the nearest of the training classes.

    Those of a run by episodes: its classes are numbered anew in each of them.
    """
    heads = dict(network.each_head())
    for name, task in tasks.items():
        trained = any(parameter.requires_grad for parameter in heads[name].parameters())
        if task.validation_episodes is None or trained:
            continue
        quick = [one for one in techniques if not one.learns_features]
        store = held_features(network, train, quick, cached)
        rows = np.flatnonzero(train.labelled[name])
        network = learned(network, train, rows, train.targets[name][rows], name, quick, store)
    return network


def episode_scores(
    network: Network,
    examples: Examples,
    classes: np.ndarray,
    target: str,
    shape: Episodes,
    techniques: Sequence[Technique] = (),
    cached: Mapping[str, Cached] | None = None,
    seed: int = 0,
) -> np.ndarray:
    """The share of right answers in each of `shape.count` episodes drawn from these rows (count,).

    classes (N,): of each row, below 0 for rows that take no part. The rows must hold enough for an episode
    (`graftwork.data.episodes.lacking`).
    """
    training = network.training
    network.eval()
    store = held_features(network, examples, techniques, cached)
    by_class, generator = rows_by_class(classes), np.random.default_rng([seed, shape.way, shape.shot])
    right = np.zeros(shape.count)
    for index in range(shape.count):
        rows = draw(by_class, shape, generator)
        own = np.arange(len(rows)) % shape.way
        support, asked = rows[: shape.support_rows], rows[shape.support_rows :]
        one = learned(network, examples, support, own[: shape.support_rows], target, techniques, store)
        given = np.asarray(predict_examples(one, examples, techniques, store, rows=asked)[target])
        right[index] = (given.argmax(axis=1) == own[shape.support_rows :]).mean()
    network.train(training)
    return right


def validation_score(
    network: Network,
    valid: Examples,
    tasks: Mapping[str, Task],
    metrics: Mapping[str, str],
    techniques: Sequence[Technique] = (),
    cached: Mapping[str, Cached] | None = None,
    changed: Callable[[Batch], Batch] | None = None,
    workers: Workers = ALONE,
) -> float:
    """What a run is chosen by: each target's metric, more is better; of few-shot tasks the mean over episodes.

    changed: what is done to each batch first. workers: predict a part each."""
    compared = compared_targets(tasks)
    predictions = predict_examples(
        network, valid, techniques, cached, compared, changed=changed, tasks=tasks, workers=workers
    )
    by_episodes = {
        name: float(episode_scores(network, valid, valid.targets[name], name, shape, techniques, cached).mean())
        for name, shape in ((name, task.validation_episodes) for name, task in tasks.items())
        if shape is not None
    }
    return score(predictions, valid, tasks, metrics, by_episodes)


def held_features(
    network: Network,
    examples: Examples,
    techniques: Sequence[Technique] = (),
    cached: Mapping[str, Cached] | None = None,
) -> Mapping[str, Cached]:
    """The features of each input of all rows, in memory, where they are the same in every episode; else `cached`."""
    changing = any(one.learns_features or one.predict_depth is not None for one in techniques)
    if changing or network.reads_tokens:
        return cached or {}
    stores = {name: np.zeros((len(examples), network.encoder(name).width), np.float32) for name in network.columns}
    with torch.no_grad():
        for indices in network.pass_batches(examples.lengths, BATCH_ROWS, running(network, cached)):
            batch = make_batch(examples, network, indices, cached)
            for name, store in stores.items():
                with network.precision():
                    part = network.encoder(name)(batch.inputs.get(name, {}), batch.hidden.get(name))
                store[indices] = part.float().cpu().numpy()
    return {name: Cached(network.encoder(name).depth, store) for name, store in stores.items()}
