"""Gated fusion: each row decides, feature by feature, how much of each input it takes.

Source: Arevalo et al. 2017 (Gated multimodal units for information fusion), section 3.1.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from graftwork.networks.fusion.fusion import Projected, mask


class GatedFusion(Projected):
    """`sum_i gate_i * tanh(linear_i(x_i))`, gates a softmax over the inputs of `linear([x_1 ... x_n])`.

    With two inputs that is the source's bimodal unit, whose gates are `sigmoid` and `1 - sigmoid`. An input that a row
    lacks has no gate and no part in the others' gates.
    """

    architecture = "gated"
    uses_absent = False

    def __init__(self, widths: Sequence[int], width: int) -> None:
        super().__init__(widths, width)
        self.gates = nn.ModuleList(nn.Linear(one, len(widths) * width, bias=False) for one in widths)
        self.bias = nn.Parameter(torch.zeros(len(widths), width))

    def forward(self, parts: Sequence[Tensor], present: Sequence[Tensor | None]) -> Tensor:
        has = mask(parts, present)
        candidates = torch.stack([torch.tanh(part) for part in self.projected(parts)], dim=1)
        logits = self.bias.expand_as(candidates)
        for index, (gate, projection, part) in enumerate(zip(self.gates, self.each_projection(), parts, strict=True)):
            standard = (part - projection.shift) * projection.scale * has[:, index : index + 1]
            logits = logits + gate(standard).view_as(candidates)
        # A row that has nothing at all gets gates of 0, not of 0 / 0.
        weights = torch.exp(logits - logits.detach().amax(dim=1, keepdim=True)) * has.unsqueeze(2)
        weights = weights / weights.sum(dim=1, keepdim=True).clamp(min=1e-12)
        return (weights * candidates).sum(dim=1)
