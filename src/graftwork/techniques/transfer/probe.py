"""Linear probe: the base stays as it is, and the head is solved on its features before the first step.

The quickest way to a good model: one pass over the rows, then a convex problem. It is hard to beat with few rows or a
base whose features already separate the classes, and it measures what a base knows. With thousands of rows,
fine-tuning the base goes further.

Source: Alain & Bengio 2016 (linear classifier probes). How each kind of head is solved stands in
`graftwork.networks.heads`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from graftwork.core.technique import Phase, Setup, Technique
from graftwork.networks.network import Network
from graftwork.techniques.transfer.head_initialisation import L2, check_l2, start_heads


@dataclass(frozen=True)
class Probe(Technique):
    """Freeze the base, solve the head.

    l2: strength of the penalty on the head's weights, scikit-learn's 1/C on features scaled to a mean squared length
        of 1; "auto" chooses it on held-out training rows. At least 0. Only a linear head uses it.
    """

    l2: L2 = "auto"

    name: ClassVar[str] = "probe"
    phase: ClassVar[Phase] = Phase.PARAMETERS
    summary: ClassVar[str] = "frozen base, head solved on its features"
    # Frozen blocks run in eval mode, so that their dropout is gone too.
    drops: ClassVar[frozenset[str]] = frozenset({"trainable_features", "dropout"})
    claims: ClassVar[frozenset[str]] = frozenset({"trainable parameters", "head initialisation"})

    def __post_init__(self) -> None:
        check_l2(self.name, self.l2)

    def adapt(self, network: Network, setup: Setup) -> Network:
        for encoder in network.each_encoder():
            encoder.requires_grad_(False)
        return network

    def start(self, network: Network, setup: Setup) -> None:
        start_heads(network, setup, self.l2)
