"""Mixup on features: the network learns from blends of two rows, with their targets blended alike.

Between two rows it should predict something in between. This smooths the decision boundary, regularises small tables
and takes the edge off wrong labels. It blends the pooled features (manifold mixup at the last layer), since tokens
can't be averaged. It lowers confidence, so calibrate afterwards; with plenty of clean rows it brings little.

Source: Zhang et al. 2018 (mixup); Verma et al. 2019 (manifold mixup).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from graftwork.core.technique import Graft, Measured, Objective, Phase, Setup, Technique
from graftwork.data.batch import Batch
from graftwork.networks.network import Forward, Network
from graftwork.tasks.task import Task
from graftwork.techniques.checks import check_range
from graftwork.techniques.streams import StepStream


def blend(value: Tensor, partner: Tensor, share: float) -> Tensor:
    """`share` of each row (B, ...) and the rest from its partner row; partner (B,) holds row numbers."""
    return share * value + (1.0 - share) * value[partner]


def blend_targets(target: Tensor, weight: Tensor, partner: Tensor, share: float) -> Tensor:
    """Targets whose loss times `blend(weight)` is the blend of both rows' weighted losses (a loss linear in them)."""
    rows = weight.view(-1, *[1] * (target.ndim - 1))
    return blend(rows * target, partner, share) / blend(rows, partner, share).clamp_min(1e-12)


def choose_partners(batch: Batch, generator: np.random.Generator) -> np.ndarray:
    """A partner for each row (B,), at random among the rows of the batch that have the same targets labelled."""
    pattern = np.zeros(len(batch), np.int64)
    for mask in batch.labelled.values():
        pattern = pattern * 2 + mask.cpu().numpy()
    partner = np.arange(len(batch))
    for kind in np.unique(pattern):
        rows = np.flatnonzero(pattern == kind)
        partner[rows] = generator.permutation(rows)
    return partner


@dataclass(frozen=True)
class Mixup(Technique):
    """Blend the features and the targets of pairs of rows within a batch.

    alpha: the share of the first row is drawn from Beta(alpha, alpha) once a step; larger values blend more evenly.
        At least 0; 0 is off.
    """

    alpha: float = 0.2

    name: ClassVar[str] = "mixup"
    phase: ClassVar[Phase] = Phase.MIX
    summary: ClassVar[str] = "learn from blends of two rows' features and targets"

    def __post_init__(self) -> None:
        check_range(self.name, "alpha", self.alpha, 0.0, math.inf)

    @property
    def drops(self) -> frozenset[str]:
        return frozenset({"hard_labels"}) if self.alpha else frozenset()

    @property
    def couples_rows(self) -> bool:
        return self.alpha > 0

    def attach(self, network: Network, setup: Setup) -> Graft:  # noqa: ARG002
        if self.alpha == 0.0:
            return Graft()
        stream = StepStream(setup.generator())

        def objective(inner: Objective) -> Objective:
            def measure(forward: Forward, batch: Batch) -> Measured:
                generator = np.random.default_rng(stream.seed(batch))
                share = float(generator.beta(self.alpha, self.alpha))
                partner = torch.from_numpy(choose_partners(batch, generator)).to(batch.rows.device)
                blended = Forward(lambda seen: blend(forward.features(seen), partner, share), forward.heads)
                return inner(blended, _blended(batch, setup.tasks, partner, share))

            return measure

        return Graft(inputs=stream.renew, objective=objective, generators={"mixing": stream.generator})


def _blended(batch: Batch, tasks: Mapping[str, Task], partner: Tensor, share: float) -> Batch:
    weight = torch.ones(len(batch), device=partner.device) if batch.weight is None else batch.weight
    targets = {
        name: blend_targets(tasks[name].soften(target), weight, partner, share)
        for name, target in batch.targets.items()
    }
    return replace(batch, targets=targets, weight=None if batch.weight is None else blend(weight, partner, share))
