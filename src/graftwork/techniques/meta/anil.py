"""ANIL: MAML whose inner loop moves the head alone.

The features of an episode's support are computed once, and a few steps of gradient descent fit a head on them; the
gradient of the queries goes through those steps into the features. It comes close to MAML in quality at little more
than the cost of a plain step, and new classes are learned at use without touching the base.

Source: Raghu et al. 2020 (rapid learning or feature reuse). The head begins at zero, see `inner_loop`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from graftwork.core.technique import Cost, Gradient, LossOutput, Objective
from graftwork.data.batch import Batch
from graftwork.data.tensors import one_tensor
from graftwork.networks.network import Forward, Network
from graftwork.techniques.meta.episodic import Episode, with_logits
from graftwork.techniques.meta.inner_loop import Loop, Weights, logits, with_learned_head, zero_head
from graftwork.techniques.meta.looping import Looping


@dataclass(frozen=True)
class ANIL(Looping):
    """Train features on which an inner loop learns a head for new classes.

    episodes: of a step; their gradients are averaged. lr, steps: of the inner loop on the head. use_steps: steps at
    use; none for as many as in training.
    """

    episodes: int = 4

    name: ClassVar[str] = "anil"
    summary: ClassVar[str] = "maml whose inner loop moves the head alone"

    def cost(self, inner: Cost) -> Cost:
        again = self.descents(inner)
        return Cost(self.shared(inner.forwards, 1), self.shared(inner.backwards, again), self.shared(inner.probes, 0))

    def descend(self, inner: Gradient, objective: Objective, network: Network, episode: Episode) -> LossOutput:
        loop = Loop(self.steps, self.lr, second_order=True)

        def asked(forward: Forward, batch: Batch) -> LossOutput:
            known = forward.features(episode.support).rows
            head = self._looped(loop, known, one_tensor(episode.support.targets[episode.target]), network, episode.way)
            return objective(
                with_logits(network, forward.features, episode.target, lambda seen: logits(seen, head)), batch
            )

        return inner(asked, network, episode.asked)

    def learn(self, network: Network, support: Batch, target: str) -> Network:
        classes = one_tensor(support.targets[target])
        with torch.no_grad():
            known = network.features(support).rows
        with torch.enable_grad():
            found = self._looped(self.at_use, known, classes, network, int(classes.max()) + 1)
        return with_learned_head(network, target, found)

    def _looped(self, loop: Loop, known: Tensor, classes: Tensor, network: Network, way: int) -> Weights:
        """The head that the inner loop makes of the support's features."""
        return loop.run(lambda _: known, zero_head(network, way), classes)
