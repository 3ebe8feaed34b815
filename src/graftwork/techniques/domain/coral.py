"""Deep CORAL: the features of all domains should have the same covariance.

It draws the domains' features together without labels in the target domain, cheaply and without a second network. It
sees second moments only: where domains differ in other ways, or their classes differ in frequency, it can pull wrong
classes together. A weight is right when its term ends near the size of the task's.

Source: Sun & Saenko 2016. Of several domains the mean over all pairs is taken.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from graftwork.core.technique import Graft, Phase, Setup, Technique, Terms, per_batch
from graftwork.data.batch import Batch
from graftwork.networks.network import Network, Output
from graftwork.techniques.checks import check_range
from graftwork.techniques.domain.parts import mean_over_pairs


def covariance_distance(first: Tensor, second: Tensor) -> Tensor:
    """`|C1 - C2|^2 / (4 F^2)` of the covariances (F, F) of features (N, F) and (M, F); N and M at least 2."""
    difference = first.T.cov() - second.T.cov()
    return difference.square().sum() / (4.0 * first.shape[1] ** 2)


@dataclass(frozen=True)
class Coral(Technique):
    """Add the distance between the domains' covariances to the loss, on all rows, labelled or not.

    weight: factor on it, at least 0; 0 is off. The distance is small for wide features, so that weights of 1 to 1,000
        are usual.
    """

    weight: float = 100.0

    name: ClassVar[str] = "coral"
    phase: ClassVar[Phase] = Phase.VIEWS
    summary: ClassVar[str] = "features of all domains have the same covariance (Deep CORAL)"

    def __post_init__(self) -> None:
        check_range(self.name, "weight", self.weight, 0.0, math.inf)

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({"domain", "trainable_features"}) if self.weight else frozenset()

    @property
    def couples_rows(self) -> bool:
        return self.weight > 0

    def attach(self, network: Network, setup: Setup) -> Graft:  # noqa: ARG002
        if self.weight == 0.0:
            return Graft()

        def losses(batch: Batch, output: Output) -> Terms:
            value = mean_over_pairs(batch, output, covariance_distance, least=2)
            return {self.name: per_batch(value, batch, self.weight)}

        return Graft(losses=losses)
