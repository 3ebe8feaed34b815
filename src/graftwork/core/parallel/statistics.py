"""Statistics of a batch that a network takes while it trains, over the rows of all workers.

Source: Ioffe & Szegedy 2015 (batch normalisation); the reduction over workers as in Peng et al. 2018 (MegDet). Means
and then squared distances from them are summed, which loses no precision where the mean is large.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from graftwork.core.parallel.workers import Workers
from graftwork.networks.fusion.missing import MissingEmbedding


@contextmanager
def shared_statistics(network: nn.Module, workers: Workers) -> Iterator[None]:
    """Inside, what the network takes from the rows of a batch is taken from those of all workers. Each pass through a
    layer that takes any is then a meeting, and so is the way back."""
    if workers.count == 1:
        yield
        return
    changed = list[tuple[nn.Module, str]]()
    for module in network.modules():
        if isinstance(module, _BatchNorm) and module.training:
            changed.append(_replaced(module, "forward", partial(_batch_norm, module, workers)))
        if isinstance(module, MissingEmbedding):
            changed.append(_replaced(module, "follow", partial(_follow, module, workers)))
    try:
        yield
    finally:
        for module, name in changed:
            delattr(module, name)


def _replaced(module: nn.Module, name: str, call: Callable[..., Any]) -> tuple[nn.Module, str]:
    setattr(module, name, call)
    return module, name


class _Sum(torch.autograd.Function):
    """The sum over all workers. Each has a part of the loss, so that the gradients are summed on the way back, too."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor, workers: Workers) -> Tensor:
        ctx.workers = workers
        return workers.sum(tensor)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return sum_of_all(gradient, ctx.workers), None


def sum_of_all(tensor: Tensor, workers: Workers) -> Tensor:
    """The sum of all workers' tensors, with its gradient. A meeting, there and back."""
    found: Tensor = _Sum.apply(tensor, workers)  # type: ignore[no-untyped-call]
    return found


def _batch_norm(module: _BatchNorm, workers: Workers, given: Tensor) -> Tensor:
    """The layer's forward in training: the batch is that of all workers."""
    values, channels = given.float(), given.shape[1]
    others = [axis for axis in range(given.ndim) if axis != 1]
    shape = [channels if axis == 1 else 1 for axis in range(given.ndim)]
    own = torch.cat([values.sum(others), values.new_tensor([values.numel() / channels])])
    total = sum_of_all(own, workers)
    count = total[-1].detach()
    mean = total[:-1] / count
    centred = values - mean.view(shape)
    variance = sum_of_all(centred.square().sum(others), workers) / count
    if module.track_running_stats and module.running_mean is not None:
        _follow_batch(module, mean.detach(), variance.detach(), float(count))
    result = centred * torch.rsqrt(variance + module.eps).view(shape)
    if module.affine:
        result = result * module.weight.view(shape) + module.bias.view(shape)
    return result.to(given.dtype)


@torch.no_grad()
def _follow_batch(module: _BatchNorm, mean: Tensor, variance: Tensor, count: float) -> None:
    """The running statistics, as torch moves them: by the unbiased variance."""
    assert module.running_mean is not None
    assert module.running_var is not None
    assert module.num_batches_tracked is not None
    module.num_batches_tracked.add_(1)
    rate = 1.0 / float(module.num_batches_tracked) if module.momentum is None else module.momentum
    module.running_mean.lerp_(mean.to(module.running_mean), rate)
    module.running_var.lerp_((variance * (count / max(count - 1.0, 1.0))).to(module.running_var), rate)


def _follow(module: MissingEmbedding, workers: Workers, part: Tensor, present: Tensor | None) -> None:
    """The usual features of an input move towards those of the rows of all workers."""
    found = part.detach() if present is None else part.detach()[present]
    total = workers.sum(torch.cat([found.sum(0), found.new_tensor([float(len(found))])]))
    if total[-1] > 0:
        module.move(total[:-1] / total[-1])
