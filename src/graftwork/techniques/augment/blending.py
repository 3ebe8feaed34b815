"""Blends of two rows of a batch, which every technique that mixes rows does to their targets alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from graftwork.data.batch import Batch
from graftwork.data.tensors import Tensors
from graftwork.tasks.capabilities import softened
from graftwork.tasks.task import Task


def blend(value: Tensor, partner: Tensor, share: float) -> Tensor:
    """`share` of each row (B, ...) and the rest from its partner row; partner (B,) holds row numbers."""
    return share * value + (1.0 - share) * value[partner]


def blend_targets(target: Tensor, weight: Tensor, partner: Tensor, share: float) -> Tensor:
    """Targets whose loss times `blend(weight)` is the blend of both rows' weighted losses (a loss linear in them)."""
    rows = weight.view(-1, *[1] * (target.ndim - 1))
    return blend(rows * target, partner, share) / blend(rows, partner, share).clamp_min(1e-12)


def choose_partners(batch: Batch, generator: np.random.Generator, alike: Iterable[Tensor] = ()) -> np.ndarray:
    """A partner for each row (B,), at random among the rows of the batch that have the same targets labelled.

    alike: more masks (B,) in which a row and its partner must agree.
    """
    pattern = np.zeros(len(batch), np.int64)
    for mask in (*batch.labelled.values(), *alike):
        pattern = pattern * 2 + mask.cpu().numpy()
    partner = np.arange(len(batch))
    for kind in np.unique(pattern):
        rows = np.flatnonzero(pattern == kind)
        partner[rows] = generator.permutation(rows)
    return partner


def with_blended_targets(batch: Batch, tasks: Mapping[str, Task], partner: Tensor, share: float) -> Batch:
    """The batch with the targets and weights of its rows blended with those of their partners."""
    weight = torch.ones(len(batch), device=partner.device) if batch.weight is None else batch.weight
    targets: dict[str, Tensors] = {
        name: blend_targets(softened(tasks[name], target), weight, partner, share)
        for name, target in batch.targets.items()
    }
    return replace(batch, targets=targets, weight=None if batch.weight is None else blend(weight, partner, share))
