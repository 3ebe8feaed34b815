"""A critic that tells domains apart, and the gradient that makes features fool it: shared by DANN and CDAN."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from graftwork.core.technique import Setup
from graftwork.data.batch import Batch
from graftwork.techniques.streams import own_stream


class _Reversed(torch.autograd.Function):
    """Its input, and the gradient times `-share`."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, share: float) -> Tensor:
        ctx.share = share
        return value.view_as(value)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return -ctx.share * gradient, None


def reverse_gradient(value: Tensor, share: float) -> Tensor:
    """`value` itself; its gradient is turned round and multiplied by `share`."""
    reversed_value: Tensor = _Reversed.apply(value, share)  # type: ignore[no-untyped-call]
    return reversed_value


def schedule(progress: float) -> float:
    """`2 / (1 + exp(-10 p)) - 1`: how much of the reversed gradient reaches the features (Ganin et al. 2016).

    >>> [round(schedule(p), 2) for p in (0.0, 0.1, 0.5, 1.0)]
    [0.0, 0.46, 0.99, 1.0]
    """
    return 2.0 / (1.0 + math.exp(-10.0 * progress)) - 1.0


def make_critic(width: int, hidden: int, setup: Setup) -> nn.Module:
    """Features (B, width) -> a score for each domain (B, D). Its weights come from the technique's own seed."""
    with own_stream(setup.seed, setup.device):
        return nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, len(setup.domains)))


def domain_loss(scores: Tensor, batch: Batch) -> Tensor:
    """Cross-entropy of each row's domain (B,); 0 where it has none."""
    assert batch.domain is not None
    return F.cross_entropy(scores, batch.domain, reduction="none", ignore_index=-1)
