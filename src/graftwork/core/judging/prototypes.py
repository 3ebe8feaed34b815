"""Nearest prototypes: the mean features of each class of a few rows, as a head. Nothing is trained.

The squared Euclidean distance to a mean p is, up to what is the same for all classes, a linear layer with the weights
2p and the bias -|p|^2 (Snell et al. 2017, section 2.4); a cosine head holds the directions of the means.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from graftwork.errors import RefusedError
from graftwork.networks.heads.layers.cosine import CosineLayer
from graftwork.networks.heads.rows import RowHead
from graftwork.networks.network import Network

Distance = Literal["euclidean", "cosine"]
SCALE = 16.0
"""Factor on cosines before the softmax, as that of the cosine head."""


def means(features: Tensor, classes: Tensor, way: int) -> Tensor:
    """Mean features of each class (way, F) of features (N, F) and classes (N,), each from 0 to way - 1."""
    member = F.one_hot(classes, way).to(features.dtype)
    return (member.T @ features) / member.sum(dim=0).unsqueeze(1)


def linear_of(prototypes: Tensor) -> tuple[Tensor, Tensor]:
    """Weights (way, F) and biases (way,) whose predictions differ from -|x - p|^2 by the same for all classes."""
    return 2 * prototypes, -prototypes.square().sum(dim=1)


def logits_of(features: Tensor, prototypes: Tensor, distance: Distance, scale: float = SCALE) -> Tensor:
    """Predictions (B, way) of features (B, F): less the squared distances to the prototypes, or scaled cosines."""
    if distance == "cosine":
        return scale * F.linear(F.normalize(features, dim=1), F.normalize(prototypes, dim=1))
    return F.linear(features, *linear_of(prototypes))


def with_prototypes(
    network: Network, target: str, prototypes: Tensor, distance: Distance, scale: float = SCALE
) -> Network:
    """The network with a head for `target` that finds the nearest of the prototypes (way, F); all else is shared."""
    cosine = distance == "cosine"
    head = plain_head(network, len(prototypes), f"cosine:scale={scale:g}" if cosine else "linear")
    layer = head.layers[-1]
    with torch.no_grad():
        if isinstance(layer, CosineLayer):
            layer.weight.copy_(F.normalize(prototypes, dim=1))
        else:
            assert isinstance(layer, nn.Linear)
            weight, bias = linear_of(prototypes)
            layer.weight.copy_(weight)
            layer.bias.copy_(bias)
    return network.with_head(target, head)


def plain_head(network: Network, outputs: int, spec: str = "linear") -> RowHead:
    """A new head over all features of the network; no random number is drawn from the global stream.

    Raises RefusedError for a fusion that makes a head for each input.
    """
    with torch.random.fork_rng(devices=[]):
        head = network.fusion.head(outputs, spec)
    if type(head) is not RowHead:
        raise RefusedError(
            f"New classes are learned by one head over all inputs, and the fusion '{network.fusion.architecture}' has "
            "a head for each. Drop it, or use another fusion."
        )
    return head.to(network.device).requires_grad_(False).eval()
