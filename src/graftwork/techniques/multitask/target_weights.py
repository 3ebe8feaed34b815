"""Target weights: how much the loss of each target counts, fixed by you.

With several targets the losses are added. One of them may matter more to you, or drown the others, because its numbers
are larger or it learns more slowly; then give it another weight. Finding good weights by hand takes several runs. It
brings nothing where every head is solved on a frozen base: there each target has a problem of its own.

Source: the weighted sum of losses is as old as multi-task learning (Caruana 1997).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

from graftwork.core.technique import Graft, Phase, Setup, Technique, Terms
from graftwork.data.batch import Batch
from graftwork.errors import RefusedError, nearest
from graftwork.networks.network import Network
from graftwork.techniques.checks import check_range
from graftwork.techniques.multitask.targets import check_terms


def weighted(terms: Terms, weights: Mapping[str, float]) -> Terms:
    """The terms, those that are named times their weight."""
    return {
        name: replace(term, weight=term.weight * weights[name]) if name in weights else term
        for name, term in terms.items()
    }


@dataclass(frozen=True)
class TargetWeights(Technique):
    """Multiply the loss of each named target by a weight.

    weights: by target, at least 0; a target that is not named has the weight 1, and at least one weight is above 0.
        Written `target-weights:weights=price=1+gender=2`.
    """

    weights: Mapping[str, float] = field(default_factory=dict)

    name: ClassVar[str] = "target-weights"
    phase: ClassVar[Phase] = Phase.TARGETS
    summary: ClassVar[str] = "fixed weights of the targets' losses"
    claims: ClassVar[frozenset[str]] = frozenset({"target weights"})

    def __post_init__(self) -> None:
        for target, weight in self.weights.items():
            check_range(self.name, f"the weight of {target}", weight, 0.0, math.inf)

    @property
    def off(self) -> bool:
        return not self._changed

    @property
    def _changed(self) -> dict[str, float]:
        return {target: weight for target, weight in self.weights.items() if weight != 1.0}

    def attach(self, network: Network, setup: Setup) -> Graft:
        for target in self.weights:
            if target not in setup.tasks:
                raise RefusedError(
                    f"{self.name} names '{target}', which is no target of this run. {nearest(target, setup.tasks)} "
                    "Use the names of the targets."
                )
        if not any(self.weights.get(target, 1.0) for target in setup.tasks):
            raise RefusedError(f"{self.name} gives every target the weight 0. Expected one above 0.")

        def combine(_batch: Batch, terms: Terms) -> Terms:
            check_terms(self.name, terms, self._changed)
            return weighted(terms, self._changed)

        return Graft(combine=combine)
