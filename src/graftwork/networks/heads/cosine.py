"""A direction for each class, in a projection of the features in which rows of one class lie close together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from graftwork.networks.heads.head import check_setting
from graftwork.networks.heads.layers.cosine import CosineLayer, Projection
from graftwork.networks.heads.rows import RowHead, RowHeadSettings
from graftwork.networks.heads.solving.problem import Problem
from graftwork.networks.heads.solving.whiten import fit_cosine
from graftwork.spaces import Range, Spaces


@dataclass(frozen=True, kw_only=True)
class Cosine(RowHeadSettings):
    """Cosines between a row's embedding and a direction for each class, times `scale` (above 0). A technique that
    solves the head projects the features so that rows of one class lie close together (`Projection`)."""

    scale: float = 16.0

    name: ClassVar[str] = "cosine"
    fits: ClassVar[frozenset[str]] = frozenset({"hard_labels"})
    searched: ClassVar[Spaces] = {"scale": Range(4.0, 64.0, log=True)}

    def __post_init__(self) -> None:
        check_setting(0 < self.scale < float("inf"), "cosine", "scale", self.scale, "a number above 0")

    def layers(self, width: int, outputs: int) -> nn.Sequential:
        return nn.Sequential(Projection(width), CosineLayer(width, outputs, self.scale))

    def solve(self, head: RowHead, problem: Problem) -> None:
        projection, layer = head.layers[0], head.layers[-1]
        assert isinstance(projection, Projection)
        assert isinstance(layer, CosineLayer)
        fit_cosine(head, projection, layer, problem)
