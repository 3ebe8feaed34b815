"""Cosines of a row's embedding and a direction for each class, behind a projection of the features."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Projection(nn.Module):
    """`x @ matrix`; x (B, width) -> (B, rank). Everything as it is until a solver sets `matrix` (width, rank)."""

    matrix: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("matrix", torch.zeros(width, 0))

    def forward(self, features: Tensor) -> Tensor:
        return features @ self.matrix if self.matrix.shape[1] else features

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *others: Any) -> None:
        """As usual, once there is room for as many columns as were saved."""
        saved = state_dict.get(f"{prefix}matrix", self.matrix)
        if saved.shape != self.matrix.shape:
            self.matrix = self.matrix.new_zeros(saved.shape)
        super()._load_from_state_dict(state_dict, prefix, *others)


class CosineLayer(nn.Module):
    """`scale * cos(x, weight of each class)`; x (B, width) -> (B, outputs), each from -scale to scale."""

    def __init__(self, width: int, outputs: int, scale: float) -> None:
        super().__init__()
        self.scale = scale
        self.weight = nn.Parameter(torch.empty(outputs, width))
        nn.init.normal_(self.weight, std=width**-0.5)

    def forward(self, embeddings: Tensor) -> Tensor:
        return self.scale * F.linear(F.normalize(embeddings, dim=1), F.normalize(self.weight, dim=1))

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *others: Any) -> None:
        """As usual, once the directions are as wide as those that were saved."""
        saved = state_dict.get(f"{prefix}weight", self.weight)
        if saved.shape != self.weight.shape:
            self.weight = nn.Parameter(self.weight.new_zeros(saved.shape))
        super()._load_from_state_dict(state_dict, prefix, *others)
