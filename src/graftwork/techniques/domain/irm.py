"""Invariant risk minimisation: one head should be the best one in every domain at once.

What predicts in all training domains alike is more likely to hold in the next one than what predicts better in some.
It needs domains between which the misleading features really change, and it is hard to train: too little weight does
nothing, too much learns nothing. On most real data it is no better than plain training; measure before trusting it.

Source: Arjovsky et al. 2019 (IRMv1): the squared gradient of each domain's loss in a factor on its predictions, without
bias from two halves of the domain's rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from graftwork.spaces import Range, Spaces
from graftwork.techniques.domain.invariant import Invariance, Measure, scale_gradient


@dataclass(frozen=True)
class IRM(Invariance):
    """Add the invariance penalty, mean over the domains, to the loss."""

    weight: float = 100.0

    name: ClassVar[str] = "irm"
    summary: ClassVar[str] = "one head that is best in every domain (invariant risk)"
    searched: ClassVar[Spaces] = {"weight": Range(1.0, 1000.0, log=True)}
    least: ClassVar[int] = 2

    def penalty(self, measure: Measure, parts: Sequence[Tensor]) -> Tensor:
        products = [scale_gradient(measure, rows[::2]) * scale_gradient(measure, rows[1::2]) for rows in parts]
        return torch.stack(products).mean()
