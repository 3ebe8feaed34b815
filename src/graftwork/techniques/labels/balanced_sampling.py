"""Balanced sampling: rows of rare classes are drawn more often.

Like class weights it raises macro-averaged scores on unbalanced tables; every batch then holds rare classes, which
steadies the gradient where they are very rare, at the price of repeating their rows (they can be learned by heart) and
of seeing fewer of the others. Use one of the two, not both.

Source: Japkowicz & Stephen 2002 (class imbalance); Mahajan et al. 2018 (powers between 0 and 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from graftwork.core.technique import Graft, Phase, Setup, Technique
from graftwork.networks.network import Network
from graftwork.spaces import Range, Spaces
from graftwork.techniques.checks import check_range
from graftwork.techniques.labels.classes import class_tables, row_weights


@dataclass(frozen=True)
class BalancedSampling(Technique):
    """Draw the training rows by the frequency of their class.

    power: a row is drawn in proportion to `(rows / (classes * rows of its class)) ** power`. 0 is off, 1 draws every
        class equally often; from 0 to 2. Unlabelled rows are drawn as often as labelled ones on average.
    """

    power: float = 1.0

    name: ClassVar[str] = "balanced-sampling"
    phase: ClassVar[Phase] = Phase.LABELS
    summary: ClassVar[str] = "rows of rare classes are drawn more often"
    searched: ClassVar[Spaces] = {"power": Range(0.25, 1.0)}
    # Not "hard_labels": the training table's own labels are used, so techniques that mix them later do no harm.
    needs: ClassVar[frozenset[str]] = frozenset({"classes", "row_sampling"})

    def __post_init__(self) -> None:
        check_range(self.name, "power", self.power, 0.0, 2.0)

    @property
    def off(self) -> bool:
        return self.power == 0.0

    def attach(self, network: Network, setup: Setup) -> Graft:
        return Graft(rows=row_weights(setup, class_tables(self.name, setup, self.power)))
