"""Reptile: the weights move towards those that a few steps on one small task lead to.

Each episode is learned by plain steps, as at use; the difference between where they began and where they ended is the
gradient of the step. There is no gradient of a gradient and no graph to keep, so that memory is that of a plain step,
and all losses of the run take part. It needs several inner steps on different rows, and more rows a class than the
shots at use: at its best it comes close to first-order MAML.

Source: Nichol et al. 2018 (on first-order meta-learning algorithms). The head begins at zero, see `inner_loop`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from graftwork.core.technique import Cost, Gradient, LossOutput, Objective
from graftwork.data.batch import Batch
from graftwork.networks.network import Forward, Network
from graftwork.techniques.meta.episodic import Episode, with_logits
from graftwork.techniques.meta.inner_loop import logits, zero_head
from graftwork.techniques.meta.looping import WholeNetwork


@dataclass(frozen=True)
class Reptile(WholeNetwork):
    """Move towards what inner steps make of the weights.

    episodes: of a step; their moves are averaged. lr, steps: of the inner steps, which take `shot` rows of each class
    in turn, of all that the episode has (`query` counts the further ones). use_steps: steps at use; none for as many
    as in training.
    """

    episodes: int = 2

    name: ClassVar[str] = "reptile"
    summary: ClassVar[str] = "move towards the weights that a few steps on a small task lead to"

    def cost(self, inner: Cost) -> Cost:
        layers = [min(self.shot, self.shot + self.query - at) for at in range(0, self.shot + self.query, self.shot)]
        share = sum(layers[step % len(layers)] for step in range(self.steps)) / (self.shot + self.query)
        return Cost(inner.forwards * share, inner.backwards * share, inner.probes * share)

    def descend(self, inner: Gradient, objective: Objective, network: Network, episode: Episode) -> LossOutput:
        trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
        before = [parameter.detach().clone() for parameter in trained]
        earlier = [parameter.grad for parameter in trained]
        head = zero_head(network, episode.way)
        moved = [*trained, *head.values()]

        def on_head(forward: Forward, batch: Batch) -> LossOutput:
            read = with_logits(network, forward.features, episode.target, lambda seen: logits(seen, head))
            return objective(read, batch)

        try:
            for step in range(self.steps):
                for parameter in moved:
                    parameter.grad = None
                measured = inner(on_head, network, episode.layers[step % len(episode.layers)])
                _step(moved, self.lr * self.episodes)  # the objective holds an episode's share of the step
            ends = [parameter.detach().clone() for parameter in trained]
        finally:  # Ctrl-C must not leave the moved weights
            with torch.no_grad():
                for parameter, weight in zip(trained, before, strict=True):
                    parameter.copy_(weight)
        scale = 1.0 / (self.lr * self.steps * self.episodes)
        for parameter, start, end, known in zip(trained, before, ends, earlier, strict=True):
            move = (start - end) * scale
            parameter.grad = move if known is None else known + move
        return measured


def _step(parameters: list[nn.Parameter | Tensor], lr: float) -> None:
    """Plain gradient descent."""
    with torch.no_grad():
        for parameter in parameters:
            if parameter.grad is not None:
                parameter.sub_(parameter.grad, alpha=lr)
