"""The layers of a network sharded over the workers: each holds a part of their weights, gradients and moments.

FSDP2 of PyTorch (`fully_shard`) on one layer after the other, each by itself: a layer's weights are brought together
while it runs, there and back, and its gradients are added up to the part that each worker keeps. Between passes nothing
is whole. (Left to itself FSDP keeps what it takes for the root whole after a pass without gradient, which would then be
scored, kept and written as if it were the worker's own.)

Source: Zhao et al. 2023 (PyTorch FSDP, arXiv:2304.11277); its second version shards each parameter by itself.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from graftwork.core.parallel.workers import Workers
from graftwork.networks.encoder import Encoder
from graftwork.networks.hooks import idles
from graftwork.networks.network import Network


def sharded_layers(network: Network, encoder: Encoder) -> list[nn.Module]:
    """Those of the encoder's layers that a sharded run shards: none of one that stays as it is. A table of tokens is
    among them where it is trained, and no head reads it."""
    if not any(parameter.requires_grad for parameter in encoder.parameters()):
        return []
    layers, table = encoder.layers_apart(), encoder.table_apart()
    read = any(head.reads_table for _, head in network.each_head())
    return layers if table is None or read or not _trained(table) else [table, *layers]


def sharded_copy(network: Network, workers: Workers, *, own: bool = False) -> Network:
    """A copy whose layers are sharded, and which shares all other tensors with the network, unless they are to be its
    `own`. A meeting."""
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    layers = [layer for encoder in network.each_encoder() for layer in sharded_layers(network, encoder)]
    kept: Iterable[nn.Module] = layers if own else [network]
    tensors = [tensor for module in kept for tensor in (*module.parameters(), *module.buffers())]
    made = copy.deepcopy(network, {id(tensor): tensor for tensor in tensors})
    mesh = init_device_mesh(network.device.type, (workers.count,))
    for encoder in made.each_encoder():
        found = sharded_layers(made, encoder)
        encoder.meets = bool(found)
        for layer in found:
            whole_ones = {one for one in layer.parameters() if one.ndim == 0 or not one.is_contiguous()}
            split = fully_shard(layer, mesh=mesh, reshard_after_forward=True, ignored_params=whole_ones)
            split.set_gradient_divide_factor(1.0)  # sums: terms are parts of the whole
            split.set_force_sum_reduction_for_comms(True)  # gloo can't multiply on the way
            _rest_when_idle(layer)
    return made


def is_sharded(tensor: Tensor) -> bool:
    return hasattr(tensor, "full_tensor")


def whole(tensor: Tensor) -> Tensor:
    """The tensor, brought together where it is sharded, which is a meeting."""
    found: Tensor = getattr(tensor, "full_tensor", lambda: tensor)()
    return found


def whole_for(leads: bool, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors, those that are sharded brought together one by one in the processor's memory; who does not lead
    keeps no such whole. A meeting where any is sharded."""
    found = dict[str, Tensor]()
    for name, tensor in tensors.items():
        if not is_sharded(tensor):
            found[name] = tensor
        elif leads:
            found[name] = whole(tensor).cpu()
        else:
            whole(tensor)
    return found


def like(tensor: Tensor, other: Tensor | None) -> Tensor:
    """The tensor, sharded as the other is where that has its shape: this worker's part of it. No meeting."""
    if other is None or not is_sharded(other) or tensor.shape != other.shape:
        return tensor
    from torch.distributed.tensor import distribute_tensor

    held: Any = other
    return distribute_tensor(tensor.to(other.device), held.device_mesh, held.placements, src_data_rank=None)


def squared_norm(gradients: Iterable[Tensor]) -> Tensor:
    """Of this worker's parts of sharded gradients, of which there is one or more."""
    return torch.stack([gradient.to_local().square().sum() for gradient in gradients]).sum()  # type: ignore[attr-defined]


def _trained(module: nn.Module) -> bool:
    return any(parameter.requires_grad for parameter in module.parameters())


def _rest_when_idle(layer: nn.Module) -> None:
    """Let a layer whose output is known already (a cached one) stay sharded when it is passed by."""
    resting = [False]

    def before(hook: Callable[..., Any]) -> Callable[..., Any]:
        def call(module: nn.Module, *args: Any) -> Any:
            resting[0] = idles(module)
            return None if resting[0] else hook(module, *args)

        return call

    def behind(hook: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args: None if resting[0] else hook(*args)

    for hooks, around in ((layer._forward_pre_hooks, before), (layer._forward_hooks, behind)):
        for key, hook in hooks.items():
            hooks[key] = around(hook)
