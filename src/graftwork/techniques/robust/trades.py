"""TRADES: clean rows are learned as usual, and a prediction must not move when an attack changes the row.

It trades clean accuracy for robustness with one number, `beta`, and usually holds a little more under attack than plain
adversarial training; the second part of its loss needs no labels, so unlabelled rows help. For images and sounds that
somebody may change on purpose; the costs and limits are those of adversarial training.

Source: Zhang et al. 2019 (theoretically principled trade-off between robustness and accuracy).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch

from graftwork.core.technique import Cost, Graft, Measured, Objective, Setup, per_row
from graftwork.data.batch import Batch
from graftwork.data.table import Modality
from graftwork.networks.network import Forward, Network
from graftwork.techniques.checks import check_range
from graftwork.techniques.robust.attack import pgd
from graftwork.techniques.robust.attacking import Attacking, moved_harm
from graftwork.techniques.robust.places import SIGNALS, ball, shifted, steady
from graftwork.techniques.streams import StepStream, own_stream


@dataclass(frozen=True)
class TRADES(Attacking):
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
    kinds: ClassVar[tuple[Modality, ...]] = SIGNALS
    fact: ClassVar[str] = "signals"

    def __post_init__(self) -> None:
        check_range(self.name, "epsilon", self.epsilon, 0.0, 1.0)
        check_range(self.name, "steps", self.steps, 1, 1000)
        check_range(self.name, "beta", self.beta, 0.0, math.inf)

    @property
    def off(self) -> bool:
        return self.epsilon == 0.0 or self.beta == 0.0

    @property
    def claims(self) -> frozenset[str]:
        return frozenset() if self.off else frozenset({"attack"})

    @property
    def uses_unlabelled(self) -> bool:
        return not self.off

    def cost(self, inner: Cost) -> Cost:
        return inner if self.off else inner.plus(self.steps + 1, self.steps + 1, self.steps)

    def attach(self, network: Network, setup: Setup) -> Graft:
        if self.off:
            return Graft()
        names, stream = self.attacked(network), StepStream(setup.generator())

        def objective(inner: Objective) -> Objective:
            def measure(forward: Forward, batch: Batch) -> Measured:
                first = inner(forward, batch)
                clean = first.output.predictions
                fixed = {name: values.detach() for name, values in clean.items()}
                draws = torch.Generator().manual_seed(stream.seed(batch))
                with steady(network):
                    balls = {name: ball(network, name, batch, self.epsilon, "linf") for name in names}
                    deltas = pgd(moved_harm(network, setup.tasks, forward, batch, fixed), balls, self.steps, draws)
                with own_stream(stream.seed(batch), setup.device):
                    hit = forward(shifted(network, batch, deltas)).predictions
                terms = dict(first.terms)
                for name, task in setup.tasks.items():
                    value = task.divergence(hit[name].float(), clean[name].float())
                    terms[f"{self.name} {name}"] = per_row(value, batch, self.beta)
                return Measured(terms, first.output)

            return measure

        return Graft(inputs=stream.renew, objective=objective, generators={"start": stream.generator})
