"""An average of a network's weights over the steps of a run: shared by the techniques that save one."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from graftwork.networks.network import Network


class Average(nn.Module):
    """The average of a network's trained parameters, as buffers: checkpointed, never trained."""

    step: Tensor

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.names = [name for name, parameter in network.named_parameters() if parameter.requires_grad]
        self.register_buffer("step", torch.zeros((), dtype=torch.int64))
        for index, name in enumerate(self.names):
            self.register_buffer(f"weight_{index}", network.get_parameter(name).detach().clone())

    @torch.no_grad()
    def update(self, network: Network, share: float) -> None:
        """Count a step, and move by this share of the way towards the network's parameters."""
        self.step += 1
        for index, name in enumerate(self.names):
            self.get_buffer(f"weight_{index}").lerp_(network.get_parameter(name).detach(), share)

    @torch.no_grad()
    def averaged(self, network: Network) -> Network:
        """A copy of the network with the averaged weights; buffers and frozen weights are the network's."""
        other = copy.deepcopy(network)
        for index, name in enumerate(self.names):
            other.get_parameter(name).copy_(self.get_buffer(f"weight_{index}"))
        return other
