"""A technique that decides how several inputs become one row of features: shared by all fusions."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from graftwork.core.technique import Phase, Setup, Technique
from graftwork.networks.fusion.fusion import Fusion
from graftwork.networks.network import Network
from graftwork.techniques.streams import own_stream


@dataclass(frozen=True)
class Fusing(Technique):
    """Puts its fusion into the network; new weights come from the technique's own seed."""

    phase: ClassVar[Phase] = Phase.FUSION
    needs: ClassVar[frozenset[str]] = frozenset({"several_inputs", "target_column", "row_features"})
    claims: ClassVar[frozenset[str]] = frozenset({"fusion"})

    @abstractmethod
    def fusion(self, network: Network) -> Fusion:
        """A new fusion for the network's inputs."""

    def adapt(self, network: Network, setup: Setup) -> Network:
        with own_stream(setup.seed, setup.device):
            return network.with_fusion(self.fusion(network))
