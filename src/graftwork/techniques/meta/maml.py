"""MAML: weights are sought from which a few steps of gradient descent learn a new class well.

Each episode is learned from its support by an inner loop, and its queries say how the weights before that should have
been. The whole gradient goes through the inner steps (second order); `first_order` leaves that part out, which is much
cheaper and often as good. It needs far more steps than prototypes, is more sensitive to its rates, and where a class
looks alike in all its rows prototypes are usually better; it pays where new classes ask for new features.

The inner loop descends the plain cross-entropy, since that is what happens at use; all other losses of the run are
those of the queries. All of the base is trained, as the inner loop at use moves all of it.

Memory: one episode is held at a time. Second order keeps what a plain step over (2 x steps x support + query) rows
holds at most, since the support's inner backward passes are kept too (1.8 was measured in place of 2, on conv4), and
the weights once for each step. First order holds max(support, query) rows at a time, like a plain step over those.

Source: Finn et al. 2017 (first and second order). The head begins at zero, see `inner_loop`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from graftwork.core.technique import Cost, Gradient, Measured, Objective
from graftwork.data.batch import Batch
from graftwork.networks.network import Forward, Network
from graftwork.techniques.checks import check_range
from graftwork.techniques.meta.episodic import Episode, Episodic, with_logits
from graftwork.techniques.meta.inner_loop import (
    Features,
    Loop,
    body,
    differentiable,
    learned_by_all,
    logits,
    zero_head,
)


@dataclass(frozen=True)
class MAML(Episodic):
    """Train weights from which an inner loop learns new classes.

    episodes: of a step; their gradients are averaged. lr, steps: of the inner loop; steps is at least 2, since the
    first moves the head alone. first_order: take the inner gradients as constants. use_steps: steps at use; none for
    as many as in training, more do no harm as a rule.
    """

    episodes: int = 4
    lr: float = 0.1
    steps: int = 3
    first_order: bool = False
    use_steps: int | None = None

    name: ClassVar[str] = "maml"
    summary: ClassVar[str] = "learn weights that a few gradient steps fit to new classes"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self.name, "lr", self.lr, 1e-6, math.inf)
        check_range(self.name, "steps", self.steps, 2, 1000)
        check_range(self.name, "use_steps", 2 if self.use_steps is None else self.use_steps, 2, 10_000)

    @property
    def claims(self) -> frozenset[str]:
        return super().claims | {"trainable parameters"}

    @property
    def learns_features(self) -> bool:
        return True

    def cost(self, inner: Cost) -> Cost:
        again = 0 if self.first_order else self.descents(inner)
        return Cost(
            self.shared(inner.forwards, self.steps),
            self.shared(inner.backwards, self.steps * (1 + again)),
            self.shared(inner.probes, self.steps),
        )

    def descend(self, inner: Gradient, objective: Objective, network: Network, episode: Episode) -> Measured:
        features = Features(network)
        loop = Loop(self.steps, self.lr, second_order=not self.first_order)

        def asked(forward: Forward, batch: Batch) -> Measured:  # noqa: ARG001  a forward with other weights replaces it
            moved = {name: value for name, value in body(network).items() if value.requires_grad}
            found = loop.run(
                lambda weights: features.with_weights(episode.support, weights),
                moved | zero_head(network, episode.way),
                episode.support.targets[episode.target],
            )
            read = with_logits(
                network,
                lambda rows: features.with_weights(rows, found),
                episode.target,
                lambda seen: logits(seen, found),
            )
            return objective(read, batch)

        with differentiable(loop.second_order):
            return inner(asked, network, episode.asked)

    def learn(self, network: Network, support: Batch, target: str) -> Network:
        loop = Loop(self.use_steps or self.steps, self.lr, second_order=False)
        return learned_by_all(network, support, target, loop)
