"""Moving average of the weights: what is validated and saved is the average over the last steps, not the last step.

Averaging cancels the noise of single steps: a steadier, often slightly better and better calibrated model, at the
price of one copy of the trained weights. It replaces the choice of a best step, and brings little where the learning
rate already falls to zero slowly.

Source: Polyak & Juditsky 1992 (averaging); Tarvainen & Valpola 2017 (mean teacher). The decay rises over the first
steps as in TensorFlow's ExponentialMovingAverage, so that short runs don't remember where they began.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from graftwork.core.technique import Graft, Phase, Setup, Technique
from graftwork.networks.network import Network
from graftwork.spaces import Choice, Spaces
from graftwork.techniques.checks import check_range
from graftwork.techniques.weights.average import Average


def decay_at(step: int, decay: float) -> float:
    """The decay of this step, counted from 1: rises towards `decay`, so that about a tenth of the run is remembered.

    >>> [round(decay_at(step, 0.999), 3) for step in (1, 10, 90, 100_000)]
    [0.182, 0.55, 0.91, 0.999]
    """
    return min(decay, (1.0 + step) / (10.0 + step))


@dataclass(frozen=True)
class EMA(Technique):
    """Validate and save a moving average of the weights.

    decay: of the average after each step, from 0 (off) to below 1; 0.999 remembers about 1,000 steps. In the first
        steps it is smaller.
    """

    decay: float = 0.999

    name: ClassVar[str] = "ema"
    phase: ClassVar[Phase] = Phase.WEIGHTS
    summary: ClassVar[str] = "validate and save a moving average of the weights"
    whole_weights: ClassVar[str] = "scores and keeps a copy of the network, and sharded layers can't be copied"
    searched: ClassVar[Spaces] = {"decay": Choice((0.98, 0.99, 0.995, 0.999))}
    claims: ClassVar[frozenset[str]] = frozenset({"final weights"})

    def __post_init__(self) -> None:
        check_range(self.name, "decay", self.decay, 0.0, 1.0, below=True)

    @property
    def off(self) -> bool:
        return self.decay == 0.0

    def attach(self, network: Network, setup: Setup) -> Graft:
        average = Average(network)

        def after_step(network: Network) -> None:
            average.update(network, 1.0 - decay_at(int(average.step) + 1, self.decay))

        return Graft(after_step=after_step, view=average.averaged, state=average)
