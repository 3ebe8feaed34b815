"""Domain-adversarial training: a critic learns to tell the domains apart, and the features learn to fool it.

The features lose what gives the domain away and keep what the task needs. It needs no labels in the target domain. It
is stronger than CORAL and MMD where domains differ a lot, and less steady: two networks pull against each other, so try
several weights and seeds, and trust validation. It goes wrong where the domains' classes differ in frequency.

Source: Ganin et al. 2016, with its schedule of the reversed gradient.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from graftwork.core.technique import Graft, Phase, Setup, Technique, Terms, per_row
from graftwork.data.batch import Batch
from graftwork.networks.network import Network, Output
from graftwork.spaces import Range, Spaces
from graftwork.techniques.checks import check_range
from graftwork.techniques.domain.adversary import domain_loss, make_critic, reverse_gradient, schedule


@dataclass(frozen=True)
class DANN(Technique):
    """Add the loss of a domain critic, whose gradient is reversed before it reaches the features.

    weight: factor on the critic's loss, at least 0; 0 is off. hidden: units of the critic's hidden layer. The share
        of the reversed gradient rises from 0 to 1 over the run. All rows take part, labelled or not.
    """

    weight: float = 1.0
    hidden: int = 256

    name: ClassVar[str] = "dann"
    phase: ClassVar[Phase] = Phase.VIEWS
    summary: ClassVar[str] = "features from which a critic can't tell the domain (adversarial)"
    searched: ClassVar[Spaces] = {"weight": Range(0.1, 2.0, log=True)}
    needs: ClassVar[frozenset[str]] = frozenset({"domain", "trainable_features", "row_features"})
    uses_unlabelled: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_range(self.name, "weight", self.weight, 0.0, math.inf)
        check_range(self.name, "hidden", self.hidden, 1, 65_536)

    @property
    def off(self) -> bool:
        return self.weight == 0.0

    def attach(self, network: Network, setup: Setup) -> Graft:
        critic = make_critic(network.width, self.hidden, setup)

        def losses(batch: Batch, output: Output) -> Terms:
            scores = critic(reverse_gradient(output.features.rows, schedule(batch.progress)))
            return {self.name: per_row(domain_loss(scores, batch), batch, self.weight)}

        return Graft(losses=losses, state=critic)
