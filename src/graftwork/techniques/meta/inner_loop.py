"""The inner loop: a few steps of gradient descent on the support of an episode, kept as a graph or not.

The head begins at zero in every episode, and at use: what a class is numbered plays no part then, and there can be as
many classes as there are (Kao et al. 2022 show that this also makes MAML's gradient a cleaner one). The first step
therefore moves the head alone; the second is the first that moves the features.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from graftwork.core.judging.prototypes import plain_head
from graftwork.data.batch import Batch
from graftwork.data.tensors import one_tensor
from graftwork.networks.features import Features
from graftwork.networks.network import Network

Weights = dict[str, Tensor]
WEIGHT, BIAS = "head.weight", "head.bias"
"""Names of the head's own weights among those of the inner loop; no parameter of a network is called so."""


@dataclass(frozen=True)
class Loop:
    """steps, lr: of plain gradient descent on the mean cross-entropy. second_order: its gradients can be differentiated
    themselves."""

    steps: int
    lr: float
    second_order: bool

    def run(self, features: Callable[[Weights], Tensor], weights: Weights, classes: Tensor) -> Weights:
        """The weights after the steps. features: of the support (S, F), made with the given weights. classes: (S,)."""
        for _ in range(self.steps):
            loss = F.cross_entropy(logits(features(weights), weights), classes)
            names = list(weights)
            found = torch.autograd.grad(
                loss, [weights[name] for name in names], create_graph=self.second_order, allow_unused=True
            )
            weights = {
                name: weights[name] if gradient is None else weights[name] - self.lr * gradient
                for name, gradient in zip(names, found, strict=True)
            }
        return weights


def logits(features: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    """Predictions (B, way) of features (B, F) by the head among these weights."""
    return F.linear(features, weights[WEIGHT], weights[BIAS])


def zero_head(network: Network, way: int) -> Weights:
    """The head that an inner loop begins with."""
    device = network.device
    return {
        WEIGHT: torch.zeros(way, network.width, device=device, requires_grad=True),
        BIAS: torch.zeros(way, device=device, requires_grad=True),
    }


def body(network: Network) -> Weights:
    """The parameters below the heads that an inner loop moves."""
    heads = {id(parameter) for parameter in network.heads.parameters()}
    heads |= {id(parameter) for parameter in network.absent.parameters()}
    return {name: value for name, value in network.named_parameters() if id(value) not in heads}


class Weighted(nn.Module):
    """`network.features` as a module, so that it can be called with other weights."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, batch: Batch) -> Features:
        return self.network.features(batch)

    def with_weights(self, batch: Batch, weights: Mapping[str, Tensor]) -> Features:
        """Features, computed with these weights where they are named, the network's own elsewhere."""
        named: dict[str, Any] = {
            f"network.{name}": value for name, value in weights.items() if name not in (WEIGHT, BIAS)
        }
        features: Features = torch.func.functional_call(self, named, (batch,))
        return features


@contextmanager
def differentiable(needed: bool) -> Iterator[None]:
    """Attention whose gradient can be differentiated itself: the quick kernels' can't."""
    if not needed:
        yield
        return
    from torch.nn.attention import SDPBackend, sdpa_kernel

    with sdpa_kernel(SDPBackend.MATH):
        yield


def with_learned_head(network: Network, target: str, weights: Mapping[str, Tensor]) -> Network:
    """The network with the head among these weights; all else is shared."""
    head = plain_head(network, len(weights[BIAS]))
    layer = head.layers[-1]
    assert isinstance(layer, nn.Linear)
    with torch.no_grad():
        layer.weight.copy_(weights[WEIGHT])
        layer.bias.copy_(weights[BIAS])
    return network.with_head(target, head)


def learned_by_all(network: Network, support: Batch, target: str, loop: Loop) -> Network:
    """A copy of the network, all of which the inner loop has fitted to the support, and its head."""
    learner = copy.deepcopy(network).requires_grad_(True)
    features, classes = Weighted(learner), one_tensor(support.targets[target])
    with torch.enable_grad():
        start = body(learner) | zero_head(learner, int(classes.max()) + 1)
        found = loop.run(lambda weights: features.with_weights(support, weights).rows, start, classes)
    with torch.no_grad():
        for name, parameter in body(learner).items():
            parameter.copy_(found[name])
    return with_learned_head(learner.requires_grad_(False), target, found)
