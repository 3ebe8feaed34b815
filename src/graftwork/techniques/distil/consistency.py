"""Consistency under dropout: two passes over the same row, with different dropout, should predict the same.

It regularises fine-tuning on small tables, and since it needs no label it also learns from unlabelled rows. Each step
costs a second forward and backward pass. The loss of the labels is taken from the first pass alone. It brings nothing
without dropout, and little where rows are many.

Source: Laine & Aila 2017 (the Pi-model); Liang et al. 2021 (R-Drop: the symmetric divergence).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from graftwork.core.technique import Cost, Graft, LossOutput, Objective, Phase, Setup, Technique, per_row
from graftwork.data.batch import Batch
from graftwork.data.tensors import Tensors
from graftwork.networks.network import Forward, Network
from graftwork.spaces import Range, Spaces
from graftwork.tasks.capabilities import divergence
from graftwork.tasks.task import Task
from graftwork.techniques.checks import check_range
from graftwork.techniques.streams import StepStream, own_stream


def disagreement(task: Task, first: Tensors, second: Tensors) -> Tensor:
    """Mean of the divergences both ways (B,), in float32; for probabilities, half of Jeffreys' divergence."""
    return 0.5 * (divergence(task, first, second) + divergence(task, second, first))


@dataclass(frozen=True)
class Consistency(Technique):
    """Add the disagreement of two passes under dropout to the loss, on all rows, labelled or not.

    weight: factor on it, at least 0; 0 is off. R-Drop's own settings lie between 0.5 and 5.
    """

    weight: float = 1.0

    name: ClassVar[str] = "consistency"
    phase: ClassVar[Phase] = Phase.DROPOUT
    summary: ClassVar[str] = "two passes under dropout should agree (R-Drop)"
    whole_weights: ClassVar[str] = ""
    searched: ClassVar[Spaces] = {"weight": Range(0.25, 4.0, log=True)}
    needs: ClassVar[frozenset[str]] = frozenset({"dropout", "comparable_predictions"})
    uses_unlabelled: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_range(self.name, "weight", self.weight, 0.0, math.inf)

    @property
    def off(self) -> bool:
        return self.weight == 0.0

    def cost(self, inner: Cost) -> Cost:
        return inner.plus(1, 1)

    def attach(self, network: Network, setup: Setup) -> Graft:
        stream = StepStream(setup.generator())

        def objective(inner: Objective) -> Objective:
            def measure(forward: Forward, batch: Batch) -> LossOutput:
                first = inner(forward, batch)
                with own_stream(stream.seed(batch), setup.device):
                    second = forward(batch)
                terms = dict(first.terms)
                for name, task in setup.tasks.items():
                    value = disagreement(task, first.output.predictions[name], second.predictions[name])
                    terms[f"{self.name} {name}"] = per_row(value, batch, self.weight)
                return LossOutput(terms, first.output)

            return measure

        return Graft(inputs=stream.renew, objective=objective, generators={"dropout": stream.generator})
