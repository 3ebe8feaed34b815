"""Warm start: the head begins from the probe, then everything is tuned together (LP-FT).

A head of random numbers sends large, meaningless gradients into the base and distorts its features in the first steps.
A head that is already solved leaves the features that work alone: better scores on few rows and away from the training
distribution, and fewer steps to a given score. It costs one pass over the rows. It brings nothing where the features
are untrained (a network from scratch).

Source: Kumar et al. 2022 (fine-tuning can distort pretrained features and underperform out-of-distribution).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from graftwork.core.technique import Phase, Setup, Technique
from graftwork.networks.network import Network
from graftwork.techniques.transfer.head_initialisation import L2, check_l2, start_heads


@dataclass(frozen=True)
class WarmStart(Technique):
    """Solve the head on the features of the untouched base before the first step.

    l2: strength of the penalty on the head's weights, scikit-learn's 1/C on features scaled to a mean squared length
        of 1; "auto" chooses it on held-out training rows. At least 0. Only a linear head uses it.
    """

    l2: L2 = "auto"

    name: ClassVar[str] = "warm-start"
    phase: ClassVar[Phase] = Phase.START
    summary: ClassVar[str] = "the head begins from the probe (LP-FT)"
    needs: ClassVar[frozenset[str]] = frozenset({"solvable_heads"})
    claims: ClassVar[frozenset[str]] = frozenset({"head initialisation"})

    def __post_init__(self) -> None:
        check_l2(self.name, self.l2)

    def start(self, network: Network, setup: Setup) -> None:
        start_heads(network, setup, self.l2)
