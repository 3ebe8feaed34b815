"""WiSE-FT: what is validated and saved lies between the weights before and after, on the straight line.

The base as it was works broadly, the tuned one works on the training rows; between them the weights often keep most of
both: less is forgotten, rows of another kind lose less, and the new task gives up little. It costs one copy of the
weights and nothing at prediction. The whole network moves back, its head too, so the head must begin from something
that means something: name `warm-start` beside it, or `refit`, which solves the head again on the mixed features.
Without either the head is mixed with random numbers. Where the base hardly moved it brings nothing and may cost the new
task some points (docs/forgetting.md has such a trial).

Source: Wortsman et al. 2022, "Robust fine-tuning of zero-shot models". With adapters it is the adapters that are mixed
with their start, which is the base.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from graftwork.core.technique import Graft, Phase, Setup, Technique
from graftwork.networks.network import Network
from graftwork.spaces import Range, Spaces
from graftwork.techniques.checks import check_range
from graftwork.techniques.continual.starting_point import StartingPoint


@dataclass(frozen=True)
class WiSEFT(Technique):
    """Validate and save `(1 - share)` times the weights before training plus `share` times those after.

    share: of the trained weights, from 0 (the start) to 1 (off).
    """

    share: float = 0.5

    name: ClassVar[str] = "wise-ft"
    phase: ClassVar[Phase] = Phase.INTERPOLATE
    summary: ClassVar[str] = "validate and save weights between those before and after"
    whole_weights: ClassVar[str] = "scores and keeps a copy of the network, and sharded layers can't be copied"
    searched: ClassVar[Spaces] = {"share": Range(0.3, 0.9)}

    def __post_init__(self) -> None:
        check_range(self.name, "share", self.share, 0.0, 1.0)

    @property
    def off(self) -> bool:
        return self.share == 1.0

    def attach(self, network: Network, setup: Setup) -> Graft:
        start = StartingPoint(network)
        return Graft(view=lambda trained: start.towards(trained, self.share))
