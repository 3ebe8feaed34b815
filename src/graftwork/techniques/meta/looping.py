"""What the techniques with an inner loop share: its settings, and what it does with new classes at use."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from graftwork.data.batch import Batch
from graftwork.networks.network import Network
from graftwork.techniques.checks import check_range
from graftwork.techniques.meta.episodic import Episodic
from graftwork.techniques.meta.inner_loop import Loop, learned_by_all


@dataclass(frozen=True)
class Looping(Episodic):
    """An inner loop of gradient descent learns each episode.

    lr, steps: of the inner loop. use_steps: steps at use; none for as many as in training.
    """

    lr: float = 0.1
    steps: int = 5
    use_steps: int | None = None

    least: ClassVar[int] = 1
    """Steps that move anything that is trained."""

    def __post_init__(self) -> None:
        super().__post_init__()
        least = self.least
        check_range(self.name, "lr", self.lr, 1e-6, math.inf)
        check_range(self.name, "steps", self.steps, least, 1000)
        check_range(self.name, "use_steps", least if self.use_steps is None else self.use_steps, least, 10_000)

    @property
    def at_use(self) -> Loop:
        """The loop that learns new classes."""
        return Loop(self.use_steps or self.steps, self.lr, second_order=False)


@dataclass(frozen=True)
class WholeNetwork(Looping):
    """The loop moves all of the base, in training and at use; its first step moves the head alone."""

    least: ClassVar[int] = 2
    claims: ClassVar[frozenset[str]] = Looping.claims | {"trainable parameters"}
    learns_features: ClassVar[bool] = True

    def learn(self, network: Network, support: Batch, target: str) -> Network:
        return learned_by_all(network, support, target, self.at_use)
