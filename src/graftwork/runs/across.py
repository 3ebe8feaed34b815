"""Heads compared across the training rows, each predicted without its fold: where few rows are held out, that says with
less luck than they do which is better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from graftwork.core.frozen.cache import build_cache
from graftwork.core.rows.examples import Examples, prepare
from graftwork.core.run import features_of
from graftwork.core.scoring import score
from graftwork.evidence.scores.intervals import difference
from graftwork.networks.heads.solving.problem import Problem
from graftwork.recipe import Recipe
from graftwork.runs.job.folds import predictions_across, together_in
from graftwork.runs.job.job import Job
from graftwork.runs.single.run import build_network
from graftwork.tasks.metrics.registry import given_to, metric_for
from graftwork.techniques.transfer.probe import Probe

ONE = 0.683
"""What a normal distribution holds within one standard deviation."""


@dataclass(frozen=True)
class Across:
    """The recipe's own heads, solved on the frozen base, each training row predicted without its fold.

    score: in the job's metric, more is better. told: by target, the truth and what the metric reads of the labelled
    rows.
    """

    score: float
    told: Mapping[str, tuple[Any, Any]]

    def beats(self, simpler: Across, job: Job) -> bool:
        """Whether it is better than a simpler one by more than one standard error, on one target at the least: what is
        not may be luck (Breiman et al. 1984)."""
        if self.score <= simpler.score:
            return False
        return any(
            difference(
                metric_for(job.metrics[name], job.tasks[name]), truth, given, simpler.told[name][1], level=ONE
            ).low
            > 0
            for name, (truth, given) in self.told.items()
        )


def across(job: Job, recipe: Recipe) -> Across:
    """The heads of a recipe across the training rows."""
    found, examples = _predictions(job, recipe)
    told = {}
    for name, task in job.tasks.items():
        labelled, metric = examples.labelled[name], metric_for(job.metrics[name], task)
        given = task.scored(found[name][labelled])
        truth, compared = task.metric_inputs(examples.targets[name][labelled], given)
        told[name] = truth, given_to(metric, task, compared)
    return Across(score(found, examples, job.tasks, job.metrics), told)


def _predictions(job: Job, recipe: Recipe) -> tuple[dict[str, np.ndarray], Examples]:
    """By target, what its head predicts of each training row (N, outputs), solved without its fold; and the rows."""
    network = build_network(job, recipe)
    examples = prepare(job.train, network, job.tasks, recipe.text)
    whole = {name: network.encoder(name).depth for name in network.columns}
    cached = build_cache(network, examples, {name: depth for name, depth in whole.items() if depth > 1})
    features, places, found = features_of(network, examples, cached), network.column_places(), {}
    penalties = [technique.l2 for technique in recipe.listed if isinstance(technique, Probe)]
    for target, head in network.each_head():
        weight = examples.labelled[target].astype(np.float32)
        if examples.weight is not None and not head.has_gradient:
            weight *= examples.weight
        args = (features, examples.targets[target], job.tasks[target])
        problem = Problem(*args, weight=weight, l2=penalties[0] if penalties else "auto", places=places)
        found[target] = predictions_across(head, problem, job.tasks[target], recipe.seed, together_in(examples))
    return found, examples
