"""Weighted sum: every input is brought to one width, and they are added, each with a learned weight.

Few parameters, and the weights say at a glance which input counts. It can only add: where one input decides how
another is to be read, a gate or a Transformer does better. Next to concatenation, which is the default, it pays where
inputs are many, since the heads stay narrow. What stands in for an input that a row lacks is added like any other.

Source: the softmax-weighted sum of Peters et al. 2018 (ELMo, equation 1), over inputs rather than layers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from graftwork.networks.fusion.fusion import Fusion
from graftwork.networks.fusion.weighted import WeightedSumFusion
from graftwork.networks.network import Network
from graftwork.spaces import Range, Spaces
from graftwork.techniques.checks import check_range
from graftwork.techniques.fusion.fusing import Fusing


@dataclass(frozen=True)
class WeightedSum(Fusing):
    """Fuse several inputs as a weighted sum of their projections.

    width: features a row behind the fusion, at least 1.
    """

    width: int = 256

    name: ClassVar[str] = "weighted-sum"
    summary: ClassVar[str] = "inputs are added, each with a learned weight"
    searched: ClassVar[Spaces] = {"width": Range(64, 512, log=True)}

    def __post_init__(self) -> None:
        check_range(self.name, "width", self.width, 1, float("inf"))

    def fusion(self, network: Network) -> Fusion:
        return WeightedSumFusion(network.widths(), self.width)
