"""Stochastic weight averaging: what is validated and saved is the mean of the weights over the last part of the run.

Late steps wander around a flat region; their mean lies nearer to its middle and often generalises a little better, at
the price of one copy of the trained weights. It works where the steps still move (set schedule=constant, or a high
learning rate); with a rate that falls to zero the last steps are alike, and their mean is the last step.

Source: Izmailov et al. 2018. Norm layers with running statistics are not estimated again: here they keep those of
their base, since batches are small.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from graftwork.core.technique import Graft, Phase, Setup, Technique
from graftwork.networks.network import Network
from graftwork.spaces import Range, Spaces
from graftwork.techniques.checks import check_range
from graftwork.techniques.weights.average import Average


@dataclass(frozen=True)
class SWA(Technique):
    """Validate and save the mean of the weights after each step of the last part of the run.

    share: of the steps that are averaged, counted from the end, from 0 (off) to 1. Before that part begins, the
        weights themselves are validated.
    """

    share: float = 0.25

    name: ClassVar[str] = "swa"
    phase: ClassVar[Phase] = Phase.WEIGHTS
    summary: ClassVar[str] = "validate and save the mean of the weights over the last part of the run"
    whole_weights: ClassVar[str] = "scores and keeps a copy of the network, and sharded layers can't be copied"
    searched: ClassVar[Spaces] = {"share": Range(0.1, 0.5)}
    claims: ClassVar[frozenset[str]] = frozenset({"final weights"})

    def __post_init__(self) -> None:
        check_range(self.name, "share", self.share, 0.0, 1.0)

    @property
    def off(self) -> bool:
        return self.share == 0.0

    def attach(self, network: Network, setup: Setup) -> Graft:
        average, first = Average(network), first_step(setup.total_steps, self.share)

        def after_step(network: Network) -> None:
            # The steps before the first one each move the average all the way.
            average.update(network, 1.0 / max(1, int(average.step) + 2 - first))

        return Graft(after_step=after_step, view=average.averaged, state=average)


def first_step(total: int, share: float) -> int:
    """The first of the averaged steps, counted from 1: at least the last step is one.

    >>> first_step(100, 0.25), first_step(3, 0.25), first_step(10, 1.0)
    (76, 3, 1)
    """
    return total - max(1, math.floor(total * share)) + 1
