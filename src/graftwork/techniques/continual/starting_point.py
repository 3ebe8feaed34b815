"""The weights that a run begins with: shared by the techniques that keep near them."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor

from graftwork.networks.network import Network


class StartingPoint:
    """A copy of the trained parameters as they are when it is made. It is no state: a resumed run begins with the same
    weights. chosen: by name, which parameters."""

    def __init__(self, network: Network, chosen: Callable[[str], bool] = lambda _: True) -> None:
        self.weights = {
            name: parameter.detach().clone()
            for name, parameter in network.named_parameters()
            if parameter.requires_grad and chosen(name)
        }

    def distance(self, network: Network) -> Tensor:
        """The squared distance to it, summed over all parameters; a scalar with a gradient."""
        parts = [(network.get_parameter(name) - start).square().sum() for name, start in self.weights.items()]
        return torch.stack(parts).sum() if parts else torch.zeros((), device=network.device)

    @torch.no_grad()
    def towards(self, network: Network, share: float) -> Network:
        """A copy of the network with weights that stand `share` of the way from the start to where they are; buffers
        and frozen weights are the network's."""
        other = copy.deepcopy(network)
        for name, start in self.weights.items():
            parameter = other.get_parameter(name)
            parameter.copy_(torch.lerp(start, parameter, share))
        return other
