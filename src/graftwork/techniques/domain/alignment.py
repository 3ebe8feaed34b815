"""A distance between the domains' features as a loss: shared by the techniques that draw domains together."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from graftwork.core.technique import Graft, Phase, Setup, Technique, Terms, per_batch
from graftwork.data.batch import Batch
from graftwork.networks.network import Network, Output
from graftwork.techniques.checks import check_range
from graftwork.techniques.domain.parts import mean_over_pairs


@dataclass(frozen=True)
class Alignment(Technique):
    """Adds the distance between the domains' features to the loss, on all rows, labelled or not.

    weight: factor on it, at least 0; 0 is off.
    """

    weight: float = 1.0

    phase: ClassVar[Phase] = Phase.VIEWS
    needs: ClassVar[frozenset[str]] = frozenset({"domain", "trainable_features"})
    uses_unlabelled: ClassVar[bool] = True
    couples_rows: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_range(self.name, "weight", self.weight, 0.0, math.inf)

    @property
    def off(self) -> bool:
        return self.weight == 0.0

    @abstractmethod
    def distance(self, first: Tensor, second: Tensor) -> Tensor:
        """Between the features of two domains (N, F) and (M, F), at least two rows each: a scalar."""

    def attach(self, network: Network, setup: Setup) -> Graft:
        def losses(batch: Batch, output: Output) -> Terms:
            value = mean_over_pairs(batch, output, self.distance, least=2)
            return {self.name: per_batch(value, batch, self.weight)}

        return Graft(losses=losses)
