"""A small network behind the features of a row, for objectives that compare views: it is left out afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from graftwork.data.batch import Batch
from graftwork.networks.features import Features
from graftwork.networks.heads.head import Head, HeadSettings, NetworkBelow, Reads, check_setting


@dataclass(frozen=True, kw_only=True)
class Projection(HeadSettings):
    """One hidden layer with ReLU (Chen et al. 2020: the features before it serve later tasks better). width: its units;
    0 for as many as there are features."""

    width: int = 0

    name: ClassVar[str] = "projection"
    fits: ClassVar[frozenset[str]] = frozenset({"two_views"})

    def __post_init__(self) -> None:
        check_setting(self.width >= 0, self.name, "width", self.width, "0 or more")

    def build(self, network: NetworkBelow, outputs: int, spec: str) -> Head:
        features = sum(network.encoder(name).width for name in network.columns)
        return ProjectionHead(features, self.width or features, outputs, spec)


class ProjectionHead(Head):
    """features (B, width) -> vectors to be compared (B, outputs)."""

    reads: ClassVar[Reads] = "rows"

    def __init__(self, width: int, hidden: int, outputs: int, spec: str = "projection") -> None:
        super().__init__()
        self.spec, self.outputs = spec, outputs
        self.layers = nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, outputs))

    def forward(self, seen: Features, batch: Batch) -> Tensor:
        vectors: Tensor = self.layers(seen.rows)
        return vectors
