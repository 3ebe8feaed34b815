"""Towers: each input is projected by itself into one common space, where rows of both sides can be compared.

No tower sees the features of another input, so that a row of one side can be embedded without its partner.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

LARGEST_SCALE = 100.0
"""Cosines are multiplied by at most this: beyond it training becomes unstable (Radford et al. 2021)."""
CLIP_SCALE, SIGLIP_SCALE, SIGLIP_BIAS = 1 / 0.07, 10.0, -10.0
"""Where the learned scale and bias begin: Radford et al. 2021 and Zhai et al. 2023."""


class TwoTowersLayer(nn.Module):
    """Features of the inputs side by side (B, sum(parts)) -> (B, len(parts) * width + 1, or + 2 with a bias).

    Embeddings of length 1 of each input in turn, then the log of the learned scale and the learned bias, the same in
    every row. parts: features of each input. hidden: units of one hidden layer with GELU in each tower; 0 for a linear
    one. dropout: before the last layer, in training.
    """

    def __init__(self, parts: Sequence[int], width: int, *, bias: bool, hidden: int = 0, dropout: float = 0.0) -> None:
        super().__init__()
        self.parts, self.width = tuple(parts), width
        self.towers = nn.ModuleList(_tower(part, width, hidden, dropout) for part in parts)
        self.log_scale = nn.Parameter(torch.tensor([math.log(SIGLIP_SCALE if bias else CLIP_SCALE)]))
        self.bias = nn.Parameter(torch.tensor([SIGLIP_BIAS])) if bias else None

    def forward(self, features: Tensor) -> Tensor:
        pieces = torch.split(features, list(self.parts), dim=1)
        unit = [F.normalize(tower(piece), dim=1) for tower, piece in zip(self.towers, pieces, strict=True)]
        learned = [self.log_scale.clamp(max=math.log(LARGEST_SCALE)), *([] if self.bias is None else [self.bias])]
        return torch.cat([*unit, *(value.expand(len(features), 1) for value in learned)], dim=1)

    def side(self, index: int) -> TwoTowersLayer:
        """The tower of one input by itself; it shares its weights with this layer."""
        alone = TwoTowersLayer((self.parts[index],), self.width, bias=self.bias is not None)
        alone.towers = nn.ModuleList([self.towers[index]])
        alone.log_scale, alone.bias = self.log_scale, self.bias
        return alone

    @property
    def is_linear(self) -> bool:
        """Whether no tower has a hidden layer."""
        return sum(isinstance(layer, nn.Linear) for layer in self.towers.modules()) == len(self.towers)

    def last_layers(self) -> list[nn.Linear]:
        """The layer of each tower that makes the embeddings."""
        found = []
        for tower in self.towers:
            assert isinstance(tower, nn.Sequential)
            last = tower[-1]
            assert isinstance(last, nn.Linear)
            found.append(last)
        return found


def _tower(features: int, width: int, hidden: int, dropout: float) -> nn.Sequential:
    if not hidden:
        return nn.Sequential(nn.Dropout(dropout), nn.Linear(features, width))
    return nn.Sequential(nn.Linear(features, hidden), nn.GELU(), nn.Dropout(dropout), nn.Linear(hidden, width))
