"""What a job's frozen base makes of rows: computed once and kept in the cache, where later fits find it too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch

from graftwork import specs
from graftwork.core.frozen.cache import build_cache
from graftwork.core.rows.examples import prepare
from graftwork.core.run import features_of
from graftwork.core.settings import resolve_precision
from graftwork.data.table import Table
from graftwork.data.values import Values
from graftwork.networks.bases.registry import written
from graftwork.networks.heads.rows import RowHead
from graftwork.networks.network import Network
from graftwork.recipe import Recipe
from graftwork.runs.bases.settling import settled
from graftwork.runs.candidates.usual import PROBED_LAYERS
from graftwork.runs.job.folds import together_in
from graftwork.runs.job.job import Job
from graftwork.runs.listener import Listener
from graftwork.runs.single.run import build_network
from graftwork.runs.workspace import Workspace


@dataclass(frozen=True)
class RowFeatures:
    """The frozen features of N rows.

    values: what heads read of each row (N, F), float32, may be memory-mapped. by_input: of each input that an encoder
    reads by itself (N, width). numbers: the rows' numbers in the source (N,). targets, labelled: by target, as the task
    encodes them, and which rows have one; empty where the table has no such column. together: as in `folds`.
    """

    values: np.ndarray
    by_input: Mapping[str, np.ndarray]
    numbers: np.ndarray
    targets: Mapping[str, Values]
    labelled: Mapping[str, np.ndarray]
    together: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.numbers)

    def take(self, places: np.ndarray) -> RowFeatures:
        """Those of some rows, in this order."""
        return RowFeatures(
            self.values[places],
            {name: values[places] for name, values in self.by_input.items()},
            self.numbers[places],
            {name: np.asarray(values[places]) for name, values in self.targets.items()},
            {name: marks[places] for name, marks in self.labelled.items()},
            None if self.together is None else self.together[places],
        )


@dataclass(frozen=True)
class FrozenBase:
    """The base of a job as it comes, read as a probe reads it (its last layers), and a linear head for each target.

    job: with every base settled. unlearned: inputs whose base starts from nothing, so that its features say little;
    a table's columns are features by themselves.
    """

    job: Job
    recipe: Recipe
    network: Network
    unlearned: tuple[str, ...]

    @property
    def heads(self) -> dict[str, RowHead]:
        """A linear head by target, not yet solved; none of a target that one vector a row says nothing of."""
        tasks, every = self.job.tasks, self.network.each_head()
        return {name: head for name, head in every if tasks[name].usual_head == "linear" and isinstance(head, RowHead)}

    def features(self, table: Table, listener: Listener | None = None) -> RowFeatures:
        """The features of a table's rows; those that were computed before come from the cache.

        listener: hears how many rows are computed.
        """
        network = self.network
        in_blocks = self.recipe.rows is not None  # as a run on some rows reads them
        examples = prepare(table, network, self.job.tasks, self.recipe.text, in_blocks=in_blocks)
        depths = {name: network.encoder(name).depth for name in network.columns}
        watch = None if listener is None else listener.computed
        cached = build_cache(network, examples, {name: deep for name, deep in depths.items() if deep > 1}, watch)
        alone = {name: store.states for name, store in cached.items() if isinstance(store.states, np.ndarray)}
        values = features_of(network, examples, cached)
        together = together_in(examples)
        return RowFeatures(values, alone, examples.numbers, examples.targets, examples.labelled, together)


def frozen_base(job: Job, recipe: Recipe, listener: Listener | None = None) -> FrozenBase:
    """The base of a job, built. recipe: as it was given; where several bases would do, they are tried, as `fit` does.

    Raises UsageError and ModelError as building a base does.
    """
    job = settled(job, recipe, Workspace(), listener or Listener(), None)
    bases = replace(recipe, base=job.bases.named).bases(job.train.schema)
    layered = {
        name: base if "layers" in specs.changed_settings(base) else base.with_layers(PROBED_LAYERS)
        for name, base in bases.items()
    }
    read = replace(recipe, base=written(layered), head="auto", techniques=())
    network = build_network(job, read)
    low = resolve_precision(recipe.training.precision) == "bf16"  # as fits read it, so that they share the cache
    network.autocast = torch.bfloat16 if low else None
    unlearned = tuple(name for name, base in bases.items() if not (base.pretrained or base.modality == "table"))
    return FrozenBase(job, read, network, unlearned)
