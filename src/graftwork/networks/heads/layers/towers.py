"""Two towers, each of which projects one input into the common space by itself."""

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
    """Features of two inputs side by side (B, sum(parts)) -> by name, what the task retrieval reads.

    `first` and `second`: embeddings of length 1 (B, width). The same in every row, (B, 1): `scale`, the log of the
    learned scale, and `bias` where one is learned.

    parts: features of each input. hidden: units of one hidden layer with GELU in each tower; 0 for a linear
    one. dropout: before the last layer, in training.
    """

    def __init__(self, parts: Sequence[int], width: int, *, bias: bool, hidden: int = 0, dropout: float = 0.0) -> None:
        super().__init__()
        self.parts, self.width = tuple(parts), width
        self.towers = nn.ModuleList(_tower(part, width, hidden, dropout) for part in parts)
        self.log_scale = nn.Parameter(torch.tensor([math.log(SIGLIP_SCALE if bias else CLIP_SCALE)]))
        self.bias = nn.Parameter(torch.tensor([SIGLIP_BIAS])) if bias else None

    def forward(self, features: Tensor) -> dict[str, Tensor]:
        first, second = torch.split(features, list(self.parts), dim=1)
        scale, bias = self.log_scale.clamp(max=math.log(LARGEST_SCALE)), self.bias
        return {
            "first": self.side(0)(first),
            "second": self.side(1)(second),
            "scale": scale.expand(len(features), 1),
            **({} if bias is None else {"bias": bias.expand(len(features), 1)}),
        }

    def side(self, index: int) -> nn.Sequential:
        """The tower of one input by itself: features (B, part) -> embeddings (B, width). Its weights are shared."""
        return nn.Sequential(self.towers[index], UnitLength())

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


class UnitLength(nn.Module):
    """Vectors (B, W) of length 1."""

    def forward(self, vectors: Tensor) -> Tensor:
        return F.normalize(vectors, dim=1)


def _tower(features: int, width: int, hidden: int, dropout: float) -> nn.Sequential:
    if not hidden:
        return nn.Sequential(nn.Dropout(dropout), nn.Linear(features, width))
    return nn.Sequential(nn.Linear(features, hidden), nn.GELU(), nn.Dropout(dropout), nn.Linear(hidden, width))
