"""Mixup on features: the network learns from blends of two rows, with their targets blended alike.

Between two rows it should predict something in between. This smooths the decision boundary, regularises small tables
and takes the edge off wrong labels. It blends the pooled features (manifold mixup at the last layer), since tokens
can't be averaged. It lowers confidence, so calibrate afterwards; with plenty of clean rows it brings little.

Source: Zhang et al. 2018 (mixup); Verma et al. 2019 (manifold mixup).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from graftwork.core.technique import Graft, LossOutput, Objective, Phase, Setup, Technique
from graftwork.data.batch import Batch
from graftwork.networks.features import Features
from graftwork.networks.network import Forward, Network
from graftwork.spaces import Range, Spaces
from graftwork.techniques.augment.blending import blend, choose_partners, with_blended_targets
from graftwork.techniques.checks import check_range
from graftwork.techniques.streams import StepStream


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
    whole_weights: ClassVar[str] = ""
    searched: ClassVar[Spaces] = {"alpha": Range(0.1, 1.0, log=True)}
    needs: ClassVar[frozenset[str]] = frozenset({"target_column", "mixable_targets", "row_features"})
    drops: ClassVar[frozenset[str]] = frozenset({"hard_labels", "row_identity"})
    couples_rows: ClassVar[bool] = True
    one_worker: ClassVar[str] = ""  # each mixes the rows of its part among themselves

    def __post_init__(self) -> None:
        check_range(self.name, "alpha", self.alpha, 0.0, math.inf)

    @property
    def off(self) -> bool:
        return self.alpha == 0.0

    def attach(self, network: Network, setup: Setup) -> Graft:
        stream = StepStream(setup.generator())

        def objective(inner: Objective) -> Objective:
            def measure(forward: Forward, batch: Batch) -> LossOutput:
                generator = np.random.default_rng(stream.seed(batch))
                share = float(generator.beta(self.alpha, self.alpha))
                partner = torch.from_numpy(choose_partners(batch, generator)).to(batch.rows.device)
                blended = Forward(
                    lambda seen: Features(blend(forward.features(seen).rows, partner, share)), forward.heads
                )
                return inner(blended, with_blended_targets(batch, setup.tasks, partner, share))

            return measure

        return Graft(inputs=stream.renew, objective=objective, generators={"mixing": stream.generator})
