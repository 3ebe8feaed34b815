"""Gated fusion: each row decides, feature by feature, how much it takes of each input.

For inputs whose worth differs from row to row: a photo that shows little, a text that says nothing. An input that a row
lacks is left out, and the others fill its place. It has more to learn than concatenation, so it needs some thousand
rows.

Source: Arevalo et al. 2017 (Gated multimodal units for information fusion); for n inputs the gates are a softmax.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from graftwork.networks.fusion.fusion import Fusion
from graftwork.networks.fusion.gated import GatedFusion
from graftwork.networks.network import Network
from graftwork.spaces import Range, Spaces
from graftwork.techniques.checks import check_range
from graftwork.techniques.fusion.fusing import Fusing


@dataclass(frozen=True)
class Gated(Fusing):
    """Fuse several inputs through gates.

    width: features a row behind the fusion, at least 1.
    """

    width: int = 256

    name: ClassVar[str] = "gated"
    summary: ClassVar[str] = "each row decides how much it takes of each input"
    searched: ClassVar[Spaces] = {"width": Range(64, 512, log=True)}

    def __post_init__(self) -> None:
        check_range(self.name, "width", self.width, 1, float("inf"))

    def fusion(self, network: Network) -> Fusion:
        return GatedFusion(network.widths(), self.width)
