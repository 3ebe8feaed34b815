"""Towers: each input is projected by itself into one common space, where rows of both sides can be compared.

No tower sees the features of another input, so that a row of one side can be embedded without its partner.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from graftwork.errors import RefusedError
from graftwork.networks.heads.head import check_setting
from graftwork.networks.heads.rows import RowHead, RowHeadSettings
from graftwork.networks.heads.solving.correlation import fit_towers
from graftwork.networks.heads.solving.problem import Problem

LARGEST_SCALE = 100.0
"""Cosines are multiplied by at most this: beyond it training becomes unstable (Radford et al. 2021)."""
CLIP_SCALE, SIGLIP_SCALE, SIGLIP_BIAS = 1 / 0.07, 10.0, -10.0
"""Where the learned scale and bias begin: Radford et al. 2021 and Zhai et al. 2023."""


TOWERS = 2
"""Inputs that are aligned."""


@dataclass(frozen=True, kw_only=True)
class Towers(RowHeadSettings):
    """Each input projected by itself into one common space, for the task retrieval. hidden: units of one hidden layer
    in each tower; 0 for a linear one. dropout: before the last layer, from 0 to below 1. bias: whether one is learned
    beside the scale; the task says it."""

    hidden: int = 0
    dropout: float = 0.0
    bias: bool = False

    name: ClassVar[str] = "towers"
    fits: ClassVar[frozenset[str]] = frozenset({"two_sides"})

    def __post_init__(self) -> None:
        check_setting(self.hidden >= 0, "towers", "hidden", self.hidden, "0 or more")
        check_setting(0 <= self.dropout < 1, "towers", "dropout", self.dropout, "0 or more, and less than 1")

    def layers(self, width: int, outputs: int) -> nn.Sequential:
        return self.layers_of([width], outputs)

    def layers_of(self, parts: Sequence[int], outputs: int) -> nn.Sequential:
        """outputs: numbers of the embeddings of both inputs, together."""
        if len(parts) != TOWERS:
            raise RefusedError(
                "The head towers projects two inputs apart from each other, but it was given features in which they "
                "are not two and side by side. Drop the technique that fuses them, or name two inputs."
            )
        layer = TwoTowersLayer(parts, outputs // TOWERS, bias=self.bias, hidden=self.hidden, dropout=self.dropout)
        return nn.Sequential(layer)

    def solve(self, head: RowHead, problem: Problem) -> None:
        """Linear towers in closed form; others in steps."""
        layer = head.layers[0]
        if isinstance(layer, TwoTowersLayer) and layer.is_linear:
            fit_towers(head, layer, problem)
        else:
            super().solve(head, problem)


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
