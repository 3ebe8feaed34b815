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

from dataclasses import dataclass
from typing import ClassVar

from graftwork.core.technique import Cost, Gradient, LossOutput, Objective
from graftwork.data.batch import Batch
from graftwork.data.tensors import one_tensor
from graftwork.networks.network import Forward, Network
from graftwork.techniques.meta.episodic import Episode, with_logits
from graftwork.techniques.meta.inner_loop import (
    Loop,
    Weighted,
    body,
    differentiable,
    logits,
    zero_head,
)
from graftwork.techniques.meta.looping import WholeNetwork


@dataclass(frozen=True)
class MAML(WholeNetwork):
    """Train weights from which an inner loop learns new classes.

    episodes: of a step; their gradients are averaged. lr, steps: of the inner loop; steps is at least 2, since the
    first moves the head alone. first_order: take the inner gradients as constants. use_steps: steps at use; none for
    as many as in training, more do no harm as a rule.
    """

    episodes: int = 4
    steps: int = 3
    first_order: bool = False

    name: ClassVar[str] = "maml"
    summary: ClassVar[str] = "learn weights that a few gradient steps fit to new classes"

    def cost(self, inner: Cost) -> Cost:
        again = 0 if self.first_order else self.descents(inner)
        return Cost(
            self.shared(inner.forwards, self.steps),
            self.shared(inner.backwards, self.steps * (1 + again)),
            self.shared(inner.probes, self.steps),
        )

    def descend(self, inner: Gradient, objective: Objective, network: Network, episode: Episode) -> LossOutput:
        features = Weighted(network)
        loop = Loop(self.steps, self.lr, second_order=not self.first_order)

        def asked(_forward: Forward, batch: Batch) -> LossOutput:  # a forward with other weights replaces it
            moved = {name: value for name, value in body(network).items() if value.requires_grad}
            found = loop.run(
                lambda weights: features.with_weights(episode.support, weights).rows,
                moved | zero_head(network, episode.way),
                one_tensor(episode.support.targets[episode.target]),
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
