"""Variance of risks: the loss should be the same in every domain.

A predictor whose loss differs between the training domains leans on something that differs between them. The penalty
is simpler and steadier than IRM's, and asks for more: domains that are harder by nature (noisier labels) are evened out
too.

Source: Krueger et al. 2021 (V-REx).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from graftwork.spaces import Range, Spaces
from graftwork.techniques.domain.invariant import Invariance, Measure, mean_loss


@dataclass(frozen=True)
class VREx(Invariance):
    """Add the variance of the domains' mean losses to the loss."""

    weight: float = 10.0

    name: ClassVar[str] = "vrex"
    summary: ClassVar[str] = "the same loss in every domain (variance of risks)"
    searched: ClassVar[Spaces] = {"weight": Range(1.0, 100.0, log=True)}

    def penalty(self, measure: Measure, parts: Sequence[Tensor]) -> Tensor:
        return torch.stack([mean_loss(measure, rows) for rows in parts]).var(correction=0)
