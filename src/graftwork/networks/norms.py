"""The normalisation layers of a network, and copies of it that have some tensors of their own and share all others."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from graftwork.networks.network import Network


def norms(network: Network) -> Iterator[nn.Module]:
    """The encoders' layers that normalise and then scale each channel: batch, layer, group and root mean square norm.

    Models bring classes of their own for some of them, which are known by their name and their row of weights.
    """
    for encoder in network.each_encoder():
        for module in encoder.modules():
            weight = dict(module.named_parameters(recurse=False)).get("weight")
            if weight is not None and weight.ndim == 1 and "Norm" in type(module).__name__:
                yield module


def batch_norms(network: Network) -> Iterator[_BatchNorm]:
    """The encoders' batch norms that keep statistics of the training rows."""
    for encoder in network.each_encoder():
        for module in encoder.modules():
            if isinstance(module, _BatchNorm) and module.running_mean is not None:
                yield module


def separate(network: Network, layers: Iterable[nn.Module]) -> Network:
    """A copy in which the tensors of these layers are its own. It shares the memory of every other one, which takes no
    gradient there."""
    own = {id(tensor) for layer in layers for tensor in (*layer.parameters(), *layer.buffers())}
    shared: dict[int, Tensor] = {id(buffer): buffer for buffer in network.buffers()}
    shared |= {id(value): nn.Parameter(value.detach(), requires_grad=False) for value in network.parameters()}
    return copy.deepcopy(network, {key: tensor for key, tensor in shared.items() if key not in own})


def norm_facts(network: Network) -> frozenset[str]:
    """What techniques may need of the normalisation layers: `norm_layers`, `batch_norm`."""
    found = {"norm_layers": norms(network), "batch_norm": batch_norms(network)}
    return frozenset(fact for fact, layers in found.items() if any(True for _ in layers))
