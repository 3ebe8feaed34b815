"""Deep CORAL: the features of all domains should have the same covariance.

It draws the domains' features together without labels in the target domain, cheaply and without a second network. It
sees second moments only: where domains differ in other ways, or their classes differ in frequency, it can pull wrong
classes together. A weight is right when its term ends near the size of the task's.

Source: Sun & Saenko 2016. Of several domains the mean over all pairs is taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from graftwork.spaces import Range, Spaces
from graftwork.techniques.domain.alignment import Alignment


def covariance_distance(first: Tensor, second: Tensor) -> Tensor:
    """`|C1 - C2|^2 / (4 F^2)` of the covariances (F, F) of features (N, F) and (M, F); N and M at least 2."""
    difference = first.T.cov() - second.T.cov()
    return difference.square().sum() / (4.0 * first.shape[1] ** 2)


@dataclass(frozen=True)
class Coral(Alignment):
    """Add the distance between the domains' covariances to the loss.

    weight: the distance is small for wide features, so that weights of 1 to 1,000 are usual.
    """

    weight: float = 100.0

    name: ClassVar[str] = "coral"
    summary: ClassVar[str] = "features of all domains have the same covariance (Deep CORAL)"
    searched: ClassVar[Spaces] = {"weight": Range(1.0, 1000.0, log=True)}

    def distance(self, first: Tensor, second: Tensor) -> Tensor:
        return covariance_distance(first, second)
