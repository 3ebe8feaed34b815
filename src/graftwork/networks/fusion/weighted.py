"""Inputs brought to one width and added, each with a learned weight."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from graftwork.networks.fusion.fusion import Projected


class WeightedSumFusion(Projected):
    """`sum_i softmax(weights)_i * linear_i(x_i)`. The weights are the same for every row, equal at the start.

    Where a row lacks an input, what stands in for it is projected like any other.
    """

    architecture = "weighted-sum"

    def __init__(self, widths: Sequence[int], width: int) -> None:
        super().__init__(widths, width)
        self.weights = nn.Parameter(torch.zeros(len(widths)))

    def forward(self, parts: Sequence[Tensor], present: Sequence[Tensor | None]) -> Tensor:
        stacked = torch.stack(self.projected(parts), dim=1)  # (B, inputs, width)
        return torch.einsum("i,biw->bw", torch.softmax(self.weights, dim=0), stacked)
