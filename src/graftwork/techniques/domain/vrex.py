"""Variance of risks: the loss should be the same in every domain.

A predictor whose loss differs between the training domains leans on something that differs between them. The penalty
is simpler and steadier than IRM's, and asks for more: domains that are harder by nature (noisier labels) are evened out
too.

Source: Krueger et al. 2021 (V-REx).
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
from graftwork.techniques.domain.invariant import mean_loss
from graftwork.techniques.domain.parts import labelled_parts


@dataclass(frozen=True)
class VREx(Technique):
    """Add the variance of the domains' mean losses to the loss.

    weight: factor on it, at least 0; 0 is off. warmup: share of the run, from 0 to 1, in which the weight is 1 at most.
    """

    weight: float = 10.0
    warmup: float = 0.3

    name: ClassVar[str] = "vrex"
    phase: ClassVar[Phase] = Phase.VIEWS
    summary: ClassVar[str] = "the same loss in every domain (variance of risks)"

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
            for name, task, parts in labelled_parts(batch, setup.tasks):
                means = [mean_loss(task, name, batch, output, rows) for rows in parts]
                spread = torch.stack(means).var(correction=0) if means else output.features.sum() * 0.0
                terms[f"{self.name} {name}"] = per_batch(spread, batch, weight)
            return terms

        return Graft(losses=losses)
