"""An honest score where no rows can be held out: a probe on the frozen base, cross-validated on the training rows.

It is the score of the probe, not of the model that is kept; with few rows a fine-tune usually ends above it.
"""

from __future__ import annotations

import numpy as np

from graftwork.core.frozen.cache import build_cache
from graftwork.core.rows.examples import prepare
from graftwork.core.run import features_of
from graftwork.networks.network import Network
from graftwork.recipe import Recipe
from graftwork.runs.job.folds import together_in, without_own_fold
from graftwork.runs.job.job import Job
from graftwork.runs.single.run import build_network

NAME, OF_RUNS = "cross-validation of the probe", "cross-validation"
"""What these scores are called, and those of runs that were trained once a fold."""


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
        together = together_in(examples)
        found[target] = without_own_fold(head, features, *truth, job.tasks[target], recipe.seed, together)
    return found
