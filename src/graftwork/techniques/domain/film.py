"""Domain features by modulation: what the heads read is scaled and shifted by the row's domain.

Where rows of several domains mean the same by different features (each camera its own light, each shop its own words),
one set of weights has to serve all; here every domain has a scale and a shift of its own, and all else is shared. A
domain that training never had, or a table without the column, is served by a vector of its own, learned by hiding the
domain of some rows. It helps where the domain is known at prediction and has a fair number of rows; for domains never
seen it brings nothing, and where classes go with domains by chance it learns just that.

Source: Perez et al. 2018 (FiLM), with the domain as the condition.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from graftwork.core.technique import Graft, LossOutput, Objective, Phase, Setup, Technique
from graftwork.data.batch import Batch
from graftwork.networks.features import Features
from graftwork.networks.film import Film as Modulation
from graftwork.networks.network import Forward, Network
from graftwork.spaces import Range, Spaces
from graftwork.techniques.checks import check_range
from graftwork.techniques.streams import StepStream


def hidden(domain: Tensor, share: float, seed: int) -> Tensor:
    """`domain` (B,) with -1 in place of about this share of it."""
    draws = torch.rand(len(domain), generator=torch.Generator().manual_seed(seed)).to(domain.device)
    return torch.where(draws < share, -1, domain)


@dataclass(frozen=True)
class Film(Technique):
    """Scale and shift the features by the row's domain, before the heads.

    hide: share of the rows whose domain is hidden in training, so that unknown domains are served too; from 0 to
        below 1. Other techniques still see the domain of these rows.
    """

    hide: float = 0.2

    name: ClassVar[str] = "film"
    phase: ClassVar[Phase] = Phase.PARAMETERS
    summary: ClassVar[str] = "features are scaled and shifted by the row's domain (FiLM)"
    whole_weights: ClassVar[str] = ""
    searched: ClassVar[Spaces] = {"hide": Range(0.05, 0.5)}
    needs: ClassVar[frozenset[str]] = frozenset({"domain", "row_features"})
    claims: ClassVar[frozenset[str]] = frozenset({"domain features"})

    def __post_init__(self) -> None:
        check_range(self.name, "hide", self.hide, 0.0, 1.0, below=True)

    def adapt(self, network: Network, setup: Setup) -> Network:
        width = network.width - network.fusion.flags
        network.film = Modulation(width, len(setup.domains)).to(setup.device)
        return network

    def attach(self, network: Network, setup: Setup) -> Graft:
        if self.hide == 0.0:
            return Graft()
        generator = setup.generator()
        stream = StepStream(generator)

        def objective(inner: Objective) -> Objective:
            def measure(forward: Forward, batch: Batch) -> LossOutput:
                return inner(Forward(self._hiding(forward.features, stream), forward.heads), batch)

            return measure

        return Graft(inputs=stream.renew, objective=objective, generators={"hidden": generator})

    def _hiding(self, features: Callable[[Batch], Features], stream: StepStream) -> Callable[[Batch], Features]:
        def without(batch: Batch) -> Features:
            if batch.domain is None:
                return features(batch)
            return features(replace(batch, domain=hidden(batch.domain, self.hide, stream.seed(batch))))

        return without
