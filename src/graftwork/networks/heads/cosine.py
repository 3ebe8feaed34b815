"""A direction for each class, in a projection of the features in which rows of one class lie close together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from graftwork.networks.heads.head import check_setting
from graftwork.networks.heads.rows import RowHead, RowHeadSettings
from graftwork.networks.heads.solving.problem import Problem
from graftwork.networks.heads.solving.whiten import fit_cosine


@dataclass(frozen=True, kw_only=True)
class Cosine(RowHeadSettings):
    """Cosines between a row's embedding and a direction for each class, times `scale` (above 0). A technique that
    solves the head projects the features so that rows of one class lie close together (`Projection`)."""

    scale: float = 16.0

    name: ClassVar[str] = "cosine"
    fits: ClassVar[frozenset[str]] = frozenset({"hard_labels"})

    def __post_init__(self) -> None:
        check_setting(0 < self.scale < float("inf"), "cosine", "scale", self.scale, "a number above 0")

    def layers(self, width: int, outputs: int) -> nn.Sequential:
        return nn.Sequential(Projection(width), CosineLayer(width, outputs, self.scale))

    def solve(self, head: RowHead, problem: Problem) -> None:
        projection, layer = head.layers[0], head.layers[-1]
        assert isinstance(projection, Projection)
        assert isinstance(layer, CosineLayer)
        fit_cosine(head, projection, layer, problem)


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
