"""Replay: rows of the old task come into the batches, and the old head must go on reading them right.

Tuning for a new task alone leaves nothing that holds the base to the old one. A share of old rows does: their loss is
that of the old model's own head, which stays as it is, so that the base has to keep the features that it reads. It
costs the steps that the old rows take, and needs old rows with their labels, and the old model as the base. Rows that
the old model learned by heart pull little, since their loss is near 0 until they are forgotten: in a short trial with
such rows it brought nothing, where `l2-sp` and `wise-ft` kept most (docs/forgetting.md). Where both tasks are to be
learned anew, give both tables to one fit (`graft fit new.csv old.csv`, several targets).

Source: experience replay, Robins 1995; Chaudhry et al. 2019, "On Tiny Episodic Memories in Continual Learning" (a few
rows go a long way).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from graftwork.core.rows.old_rows import OldRows
from graftwork.core.technique import Graft, Phase, Setup, Technique, Term, Terms
from graftwork.data.batch import Batch
from graftwork.errors import RefusedError, UsageError
from graftwork.networks.features import Features
from graftwork.networks.heads.head import Head
from graftwork.networks.network import Network, Output
from graftwork.spaces import Range, Spaces
from graftwork.tasks.task import Task
from graftwork.techniques.checks import check_range


@dataclass(frozen=True)
class Replay(Technique):
    """Train on rows of the old task too, by the old model's head. The base must be that model.

    table: labelled rows of the old task, as the old model reads them. share: of the rows of a pass that are old, from 0
        (off) to below 1; drawn by class, fewer where the table has fewer. weight: of their loss, the mean over old
        rows, beside that of the new task; at least 0 (off).
    """

    table: str
    share: float = 0.2
    weight: float = 1.0

    name: ClassVar[str] = "replay"
    phase: ClassVar[Phase] = Phase.DISTIL
    summary: ClassVar[str] = "rows of the old task come along, read by the old head"
    searched: ClassVar[Spaces] = {"share": Range(0.05, 0.5)}
    needs: ClassVar[frozenset[str]] = frozenset({"row_identity", "row_sampling", "target_column", "trainable_features"})

    def __post_init__(self) -> None:
        if not self.table.strip():
            raise UsageError(
                f"{self.name}: there is no table. Name labelled rows of the old task, as in {self.name}:table=old.csv."
            )
        check_range(self.name, "share", self.share, 0.0, 1.0, below=True)
        check_range(self.name, "weight", self.weight, 0.0, math.inf)

    @property
    def off(self) -> bool:
        return self.share == 0.0 or self.weight == 0.0

    @property
    def old_tables(self) -> Mapping[str, float]:
        return {self.table: self.share}

    def attach(self, network: Network, setup: Setup) -> Graft:
        if self.table not in setup.old_rows:
            raise RefusedError(f"{self.name} needs rows of an old task, and nothing reads {self.table} here. Drop it.")
        old = setup.old_rows[self.table]
        heads = {name: head.to(setup.device).requires_grad_(False).eval() for name, head in old.heads().items()}

        def losses(batch: Batch, output: Output) -> Terms:
            return {
                f"{self.name} {name}": Term(
                    old_loss(old, name, heads[name], batch, output.features.rows),
                    batch.size * float(old.labelled[name].mean()),
                    self.weight,
                )
                for name in old.tasks
            }

        return Graft(losses=losses)


def old_loss(old: OldRows, name: str, head: Head, batch: Batch, features: Tensor) -> Tensor:
    """The old head's loss of each row of the batch (B,), 0 for rows of no old task. features: (B, F)."""
    task: Task = old.tasks[name]
    rows = batch.rows.cpu().numpy()
    places = torch.from_numpy(old.labelled[name][rows]).nonzero().squeeze(1)
    value = torch.zeros(len(batch), device=features.device)
    if not len(places):
        return value
    target = task.collate(old.targets[name], rows[places.numpy()])
    assert isinstance(target, Tensor)
    places = places.to(features.device)
    found = task.loss(head(Features(features[places]), batch.part(places)), target.to(features.device))
    return value.index_copy(0, places, found.float())
