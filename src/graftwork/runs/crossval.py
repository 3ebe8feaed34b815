"""An honest score where no rows can be held out: a probe on the frozen base, cross-validated on the training rows.

It is the score of the probe, not of the model that is kept; with few rows a fine-tune usually ends above it.
"""

from __future__ import annotations

import copy

import numpy as np
import torch

from graftwork.core.cache import build_cache
from graftwork.core.examples import prepare
from graftwork.core.run import features_of
from graftwork.core.scoring import probabilities
from graftwork.data.batch import Batch
from graftwork.data.tensors import one_tensor
from graftwork.networks.features import Features
from graftwork.networks.heads.head import Head
from graftwork.networks.heads.solving.problem import Problem
from graftwork.networks.network import Network
from graftwork.recipe import Recipe
from graftwork.runs.job.job import Job
from graftwork.runs.single import build_network
from graftwork.tasks.task import Task

FOLDS = 5
NAME = "cross-validation of the probe"


def cross_validate(job: Job, recipe: Recipe) -> dict[str, np.ndarray]:
    """By target, probabilities (N, outputs) of each training row from a linear probe solved without its fold."""
    network = build_network(job, Recipe(base=recipe.base, text=recipe.text, seed=recipe.seed))
    return cross_validated(job, network, recipe)


def cross_validated(job: Job, network: Network, recipe: Recipe) -> dict[str, np.ndarray]:
    """`cross_validate` of a network that is built; its heads should be linear."""
    examples = prepare(job.train, network, job.tasks, recipe.text)
    whole = {name: network.encoder(name).depth for name in network.columns}
    cached = build_cache(network, examples, {name: depth for name, depth in whole.items() if depth > 1})
    features = features_of(network, examples, cached)
    found = {}
    for target, head in network.each_head():
        truth = (examples.targets[target], examples.labelled[target])
        found[target] = _of_target(head, features, *truth, job.tasks[target], recipe.seed)
    return found


def _of_target(
    start: Head, features: np.ndarray, targets: np.ndarray, labelled: np.ndarray, task: Task, seed: int
) -> np.ndarray:
    device = next(start.parameters()).device
    fold = folds(targets if task.single_label else np.zeros(len(targets), np.int64), seed)
    predictions = np.zeros((len(targets), task.outputs), np.float32)
    for index in range(FOLDS):
        head, held = copy.deepcopy(start), fold == index
        weight = (labelled & ~held).astype(np.float32)
        if not held.any() or not weight.any():
            continue
        head.eval().solve(Problem(features, targets, task, weight=weight, l2=1 / 16))
        with torch.inference_mode():
            seen = torch.from_numpy(features[held]).to(device)
            found = head(Features(seen), Batch({}, torch.arange(len(seen), device=device)))
            predictions[held] = one_tensor(found).cpu().numpy()
    scored: np.ndarray = probabilities(task, predictions)
    return scored


def folds(classes: np.ndarray, seed: int) -> np.ndarray:
    """The fold of each row (N,), from 0 to 4: the rows of each class are dealt out in turn."""
    order = np.random.default_rng(seed).permutation(len(classes))
    by_class = order[np.argsort(classes[order], kind="stable")]
    fold = np.empty(len(classes), np.int64)
    fold[by_class] = np.arange(len(classes)) % FOLDS
    return fold
