"""Domain-balanced sampling: rows of small domains are drawn more often.

Every batch then holds all domains, which steadies whatever compares them, and a large domain does not drown the others.
The price is that rows of a small domain repeat.

Source: as for classes, Japkowicz & Stephen 2002; the usual sampling of domain-adaptation benchmarks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from graftwork.core.technique import Graft, Phase, Setup, Technique
from graftwork.networks.network import Network
from graftwork.spaces import Range, Spaces
from graftwork.techniques.checks import check_range
from graftwork.techniques.labels.classes import balance


@dataclass(frozen=True)
class DomainSampling(Technique):
    """Draw the training rows by the frequency of their domain.

    power: a row is drawn in proportion to `(rows / (domains * rows of its domain)) ** power`. 0 is off, 1 draws every
        domain equally often; from 0 to 2. Rows without a domain are drawn as often as others on average.
    """

    power: float = 1.0

    name: ClassVar[str] = "domain-sampling"
    phase: ClassVar[Phase] = Phase.LABELS
    summary: ClassVar[str] = "rows of small domains are drawn more often"
    searched: ClassVar[Spaces] = {"power": Range(0.25, 1.0)}
    needs: ClassVar[frozenset[str]] = frozenset({"domain", "row_sampling"})

    def __post_init__(self) -> None:
        check_range(self.name, "power", self.power, 0.0, 2.0)

    @property
    def off(self) -> bool:
        return self.power == 0.0

    def attach(self, network: Network, setup: Setup) -> Graft:
        assert setup.domain is not None
        known = setup.domain >= 0
        weights = balance(setup.domain, known, max(len(setup.domains), 1), self.power)[setup.domain]
        weights[~known] = 1.0
        return Graft(rows=weights)
