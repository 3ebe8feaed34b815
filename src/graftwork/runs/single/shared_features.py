"""Rows and features of frozen bases, computed once for a whole table and put where runs on parts of it look: the cache
knows a part by what it holds, and each repeat, or fold, has parts of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import torch

from graftwork.core.frozen.cache import build_cache
from graftwork.core.frozen.parts import keep_part, reads_alike
from graftwork.core.rows.examples import prepare
from graftwork.core.run import Run
from graftwork.core.settings import resolve_precision
from graftwork.data.table import Table
from graftwork.networks.network import Network
from graftwork.recipe import Recipe
from graftwork.runs.job.job import Job
from graftwork.runs.listener import Listener
from graftwork.runs.single.run import build_network


def frozen_inputs(run: Run) -> tuple[str, ...]:
    """The inputs whose whole base stays as it is, so that its features are computed once for all."""
    whole = (name for name, share in run.cached_shares.items() if share == 1.0)
    return tuple(name for name in whole if run.network.encoder(name).depth > 1)


def read_by(recipe: Recipe) -> str:
    """What the rows are read by: recipes that are alike in it share features."""
    return repr((recipe.base, recipe.text, recipe.training.precision, recipe.inputs))


def share_features(
    job: Job,
    recipe: Recipe,
    table: Table,
    parts: Iterable[tuple[Table, np.ndarray]],
    frozen: Sequence[str],
    listener: Listener,
) -> None:
    """Put the features of parts of a table into the cache, for the inputs that are `frozen` in runs of this recipe.

    Nothing is put for a base that depends on the training rows (a vocabulary, scales): what it reads differs from
    part to part. job: of a run on the parts. parts: each with the places of its rows in `table`.
    """
    network = _as_read(replace(job, train=table, valid=None), recipe)
    own = _as_read(job, recipe)
    alike = [name for name in frozen if reads_alike(network, own, name)]
    whole = prepare(table, network, {}, recipe.text) if alike else None
    if whole is None:
        return
    depths = {name: network.encoder(name).depth for name in alike}
    features = build_cache(network, whole, depths, listener.computed)
    features = {name: store for name, store in features.items() if isinstance(store.states, np.ndarray)}
    for part, places in parts:
        keep_part(network, recipe.text, whole, features, part, places)


def _as_read(job: Job, recipe: Recipe) -> Network:
    """The network in the precision in which a run reads."""
    network = build_network(job, recipe)
    low = resolve_precision(recipe.training.precision) == "bf16"
    network.autocast = torch.bfloat16 if low else None
    return network
