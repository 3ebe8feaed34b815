"""Rows and features of frozen bases, computed once for all rows of an ablation, and put where the runs on parts of them
look: the cache knows a part by what it holds, and each repeat has parts of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from graftwork.core.cache import build_cache
from graftwork.core.examples import prepare
from graftwork.core.parts import keep_part, reads_alike
from graftwork.core.run import Run
from graftwork.core.settings import resolve_precision
from graftwork.networks.network import Network
from graftwork.recipe import Recipe
from graftwork.runs.ablation.arms import Arm
from graftwork.runs.ablation.inputs import without_columns
from graftwork.runs.ablation.repeats import Repeat
from graftwork.runs.job.job import Job
from graftwork.runs.listener import Listener
from graftwork.runs.single import build_network


def frozen_inputs(run: Run) -> tuple[str, ...]:
    """The inputs whose whole base stays as it is, so that its features are computed once for all."""
    whole = (name for name, share in run.cached_shares.items() if share == 1.0)
    return tuple(name for name in whole if run.network.encoder(name).depth > 1)


@dataclass(frozen=True)
class Shared:
    """done: which parts are in the cache already, by what reads them, the columns, and the repeat."""

    done: set[tuple[str, int]] = field(default_factory=set)

    def put(self, arm: Arm, repeat: Repeat, job: Job, frozen: Sequence[str], listener: Listener) -> None:
        """Put the features of the job's rows into the cache, for the inputs that are `frozen` in this arm.

        Nothing is put for a base that depends on the training rows (a vocabulary, scales): what it reads differs from
        repeat to repeat. job: of the arm on the repeat.
        """
        recipe = repeat.recipe(arm)
        reads = repr((recipe.base, recipe.text, recipe.training.precision, recipe.inputs, arm.without))
        if not frozen or (reads, repeat.number) in self.done or recipe.rows is not None:
            return
        self.done.add((reads, repeat.number))
        table = without_columns(repeat.pool.table, arm.without)
        network = _as_read(replace(job, train=table, valid=None), recipe)
        own = _as_read(job, recipe)
        alike = [name for name in frozen if reads_alike(network, own, name)]
        whole = prepare(table, network, {}, recipe.text) if alike else None
        if whole is None:
            return
        depths = {name: network.encoder(name).depth for name in alike}
        features = build_cache(network, whole, depths, listener.computed)
        features = {name: store for name, store in features.items() if isinstance(store.states, np.ndarray)}
        valid = job.valid if recipe.valid_rows is None else None  # those that were drawn stand elsewhere
        for part, places in ((job.train, repeat.train), (valid, repeat.valid), (job.test, repeat.held)):
            if part is not None:
                keep_part(network, recipe.text, whole, features, part, places)


def _as_read(job: Job, recipe: Recipe) -> Network:
    """The network in the precision in which a run reads."""
    network = build_network(job, recipe)
    low = resolve_precision(recipe.training.precision) == "bf16"
    network.autocast = torch.bfloat16 if low else None
    return network
