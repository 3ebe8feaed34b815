"""L2-SP: a penalty on how far the base moves from where it began, in place of the usual pull towards zero.

Weight decay pulls a pretrained weight towards 0, which is no place that it should go to; this pulls it back to what it
was, so that what the base knew before is forgotten less. The price is a new task that is learned a little slower. It
helps where few rows would move a good base far, and where an old task must go on working on the same base; a base that
begins with random numbers has nothing to keep.

Source: Li, Grandvalet & Davoine 2018, "Explicit Inductive Bias for Transfer Learning with Convolutional Networks"
(there with SGD; here with AdamW, which scales the gradient of the penalty along with that of the loss). What is new in
a network (heads, fusion) keeps the weight decay of the run. Adapters are pulled to where they began, which is the base.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from graftwork.core.technique import Graft, Multiplier, Phase, Setup, Technique, Terms, per_batch
from graftwork.data.batch import Batch
from graftwork.networks.network import Network, Output
from graftwork.spaces import Range, Spaces
from graftwork.techniques.checks import check_range
from graftwork.techniques.continual.starting_point import StartingPoint


@dataclass(frozen=True)
class L2SP(Technique):
    """Add `weight / 2` times the squared distance of the base's trained weights from their start to the loss.

    weight: at least 0 (off). The base's weights have no other weight decay then.
    """

    weight: float = 0.1

    name: ClassVar[str] = "l2-sp"
    phase: ClassVar[Phase] = Phase.WEIGHTS
    summary: ClassVar[str] = "a penalty on how far the base moves from where it began"
    whole_weights: ClassVar[str] = (
        "adds up how far all weights are from their start, and a worker sees its part of them only"
    )
    searched: ClassVar[Spaces] = {"weight": Range(0.01, 1.0, log=True)}
    needs: ClassVar[frozenset[str]] = frozenset({"trainable_features"})

    def __post_init__(self) -> None:
        check_range(self.name, "weight", self.weight, 0.0, math.inf)

    @property
    def off(self) -> bool:
        return self.weight == 0.0

    def attach(self, network: Network, setup: Setup) -> Graft:
        start = StartingPoint(network, lambda name: name.startswith("encoders."))

        def losses(batch: Batch, _output: Output) -> Terms:
            return {self.name: per_batch(start.distance(network) / 2, batch, self.weight)}

        def groups(name: str) -> Multiplier:
            return Multiplier(decay=0.0) if name in start.weights else Multiplier()

        return Graft(losses=losses, groups=groups)
