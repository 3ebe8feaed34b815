"""TRADES: clean rows are learned as usual, and a prediction must not move when an attack changes the row.

It trades clean accuracy for robustness with one number, `beta`, and usually holds a little more under attack than plain
adversarial training; the second part of its loss needs no labels, so unlabelled rows help. For images and sounds that
somebody may change on purpose; the costs and limits are those of adversarial training.

Source: Zhang et al. 2019 (theoretically principled trade-off between robustness and accuracy).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch

from graftwork.core.technique import Cost
from graftwork.data.table import Modality
from graftwork.data.tensors import Tensors, detached
from graftwork.spaces import Range, Spaces
from graftwork.techniques.adversarial.adversarial_training import Smoothing, Still
from graftwork.techniques.adversarial.attack import Points, pgd
from graftwork.techniques.adversarial.perturbed_inputs import SIGNALS
from graftwork.techniques.checks import check_range


@dataclass(frozen=True)
class TRADES(Smoothing):
    """Add the divergence between predictions on clean and on attacked rows to the loss, on all rows, labelled or not.

    epsilon: how far a value may be changed, in the units of the input: pixels from 0 to 1 (8/255 is eight grey levels),
        samples from -1 to 1; 0 is off.
    steps: of the attack, at least 1. beta: factor on the divergence, at least 0; 0 is off. The paper's are 1 and 6.
    """

    epsilon: float = 0.031
    steps: int = 7
    beta: float = 6.0

    name: ClassVar[str] = "trades"
    summary: ClassVar[str] = "predictions should not move under attack (TRADES)"
    searched: ClassVar[Spaces] = {"epsilon": Range(0.002, 0.05, log=True), "beta": Range(1.0, 6.0)}
    kinds: ClassVar[tuple[Modality, ...]] = SIGNALS
    fact: ClassVar[str] = "signals"
    claims: ClassVar[frozenset[str]] = frozenset({"attack"})

    def __post_init__(self) -> None:
        check_range(self.name, "epsilon", self.epsilon, 0.0, 1.0)
        check_range(self.name, "steps", self.steps, 1, 1000)
        check_range(self.name, "beta", self.beta, 0.0, math.inf)

    @property
    def off(self) -> bool:
        return self.epsilon == 0.0 or self.beta == 0.0

    @property
    def factor(self) -> float:
        return self.beta

    def cost(self, inner: Cost) -> Cost:
        return inner.plus(self.steps + 1, self.steps + 1, self.steps)

    def moving(self, still: Still, draws: torch.Generator) -> tuple[Points, Mapping[str, Tensors]]:
        harm = still.harm({name: detached(values) for name, values in still.predictions.items()})
        return pgd(harm, still.balls(self.epsilon, "linf"), self.steps, draws), still.predictions
