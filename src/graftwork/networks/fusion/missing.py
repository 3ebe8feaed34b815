"""What stands in for the features of an input where a row lacks it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

RATE = 0.1
"""Share of a step's rows in the running mean."""


class MissingEmbedding(nn.Module):
    """The mean of the features that training rows have there, plus a shift, which is learned where some lack them.

    usual: the mean; set before training, and following the features while their encoder changes. shift: 0 and fixed
    unless it requires a gradient.
    """

    usual: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("usual", torch.zeros(width))
        self.shift = nn.Parameter(torch.zeros(width), requires_grad=False)

    def follow(self, part: Tensor, present: Tensor | None) -> None:
        """Move the mean towards features of a step; a learned stand-in follows by itself."""
        found = part.detach() if present is None else part.detach()[present]
        if len(found):
            self.move(found.mean(dim=0))

    def move(self, mean: Tensor) -> None:
        """By the mean features (width,) of the rows of a step that have the input."""
        if not self.shift.requires_grad:
            self.usual.lerp_(mean, RATE)

    def row(self) -> Tensor:
        """(width,)."""
        return self.usual + self.shift

    def forward(self, part: Tensor, present: Tensor) -> Tensor:
        """`part` (B, width), replaced where `present` (B,) is False."""
        return torch.where(present.unsqueeze(1), part, self.row())
