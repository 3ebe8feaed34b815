"""The network as it was when a reward began to act: what it is held near to, and compared with."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from graftwork.networks.network import Network


class StartingNetwork(nn.Module):
    """The trained parameters as they were, as buffers: checkpointed, never trained. What is frozen is not copied, so
    that of a network with adapters these and the heads are held alone; running statistics are copied too."""

    begun: Tensor

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.names = [name for name, parameter in network.named_parameters() if parameter.requires_grad]
        self.names += [name for name, buffer in network.named_buffers() if buffer.is_floating_point()]
        self.register_buffer("begun", torch.zeros((), dtype=torch.bool))
        for index, name in enumerate(self.names):
            self.register_buffer(f"weight_{index}", _tensor(network, name).detach().clone())

    @torch.no_grad()
    def remember(self, network: Network) -> None:
        """Take the weights as they are, the first time that this is called."""
        if not self.begun:
            self.begun.fill_(True)
            for index, name in enumerate(self.names):
                self.get_buffer(f"weight_{index}").copy_(_tensor(network, name))

    @contextmanager
    def standing_in(self, network: Network) -> Iterator[None]:
        """Inside, the network computes with these weights, in eval mode; outside, as if nothing had happened."""
        training, own = network.training, {name: _tensor(network, name).data for name in self.names}
        for index, name in enumerate(self.names):
            _tensor(network, name).data = self.get_buffer(f"weight_{index}")
        network.eval()
        try:
            yield
        finally:
            network.train(training)
            for name, data in own.items():
                _tensor(network, name).data = data

    @torch.no_grad()
    def network(self, trained: Network) -> Network:
        """A copy of the network with these weights, which shares what is frozen; the network itself where none were
        remembered yet."""
        if not self.begun:
            return trained
        shared = {id(parameter): parameter for parameter in trained.parameters() if not parameter.requires_grad}
        other = copy.deepcopy(trained, shared)
        for index, name in enumerate(self.names):
            _tensor(other, name).copy_(self.get_buffer(f"weight_{index}"))
        return other


def _tensor(network: Network, name: str) -> Tensor:
    module = network.get_submodule(name.rpartition(".")[0])
    found = getattr(module, name.rpartition(".")[2])
    assert isinstance(found, Tensor)
    return found
