"""Invariant risk minimisation: one head should be the best one in every domain at once.

What predicts in all training domains alike is more likely to hold in the next one than what predicts better in some.
It needs domains between which the misleading features really change, and it is hard to train: too little weight does
nothing, too much learns nothing. On most real data it is no better than plain training; measure before trusting it.

Source: Arjovsky et al. 2019 (IRMv1): the squared gradient of each domain's loss in a factor on its predictions, without
bias from two halves of the domain's rows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch

from graftwork.core.technique import Graft, Phase, Setup, Technique, Terms, per_batch
from graftwork.data.batch import Batch
from graftwork.networks.network import Network, Output
from graftwork.techniques.checks import check_range
from graftwork.techniques.domain.invariant import scale_gradient
from graftwork.techniques.domain.parts import labelled_parts


@dataclass(frozen=True)
class IRM(Technique):
    """Add the invariance penalty, mean over the domains, to the loss.

    weight: factor on it, at least 0; 0 is off. warmup: share of the run, from 0 to 1, in which the weight is 1 at most,
        so that features are learned before they are made invariant.
    """

    weight: float = 100.0
    warmup: float = 0.3

    name: ClassVar[str] = "irm"
    phase: ClassVar[Phase] = Phase.VIEWS
    summary: ClassVar[str] = "one head that is best in every domain (invariant risk)"

    def __post_init__(self) -> None:
        check_range(self.name, "weight", self.weight, 0.0, math.inf)
        check_range(self.name, "warmup", self.warmup, 0.0, 1.0)

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({"domain"}) if self.weight else frozenset()

    @property
    def couples_rows(self) -> bool:
        return self.weight > 0

    def attach(self, network: Network, setup: Setup) -> Graft:  # noqa: ARG002
        if self.weight == 0.0:
            return Graft()

        def losses(batch: Batch, output: Output) -> Terms:
            weight = min(self.weight, 1.0) if batch.progress < self.warmup else self.weight
            terms = {}
            for name, task, parts in labelled_parts(batch, setup.tasks, least=2):
                halves = [
                    [scale_gradient(task, name, batch, output, half) for half in (rows[::2], rows[1::2])]
                    for rows in parts
                ]
                products = [first * second for first, second in halves]
                value = torch.stack(products).mean() if products else output.features.sum() * 0.0
                terms[f"{self.name} {name}"] = per_batch(value, batch, weight)
            return terms

        return Graft(losses=losses)
