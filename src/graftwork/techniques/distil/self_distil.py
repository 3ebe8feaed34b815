"""Self-distillation: the network should agree with the moving average of its own weights, its mean teacher.

The average of the last steps predicts more steadily than the last step does, and it needs no label, so that unlabelled
rows take part. It smooths training where labels are few or wrong; with many clean labels it brings little. Each step
costs one more forward pass. The teacher's word counts more as the run goes on, since at first it knows nothing. What
is saved are the network's own weights; `ema` saves the average.

Source: Tarvainen & Valpola 2017 (mean teachers; the rise of the decay and of the weight is theirs).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

import torch

from graftwork.core.technique import Cost, Graft, LossOutput, Objective, Phase, Setup, Technique, per_row
from graftwork.data.batch import Batch
from graftwork.networks.network import Forward, Network
from graftwork.spaces import Choice, Range, Spaces
from graftwork.tasks.capabilities import divergence
from graftwork.techniques.checks import check_range
from graftwork.techniques.weights.average import Average


def ramp(progress: float, share: float) -> float:
    """`exp(-5 (1 - p)^2)` with p the part of the rise that is done; 1 behind it.

    >>> [round(ramp(progress, 0.5), 3) for progress in (0.0, 0.25, 0.5, 1.0)]
    [0.007, 0.287, 1.0, 1.0]
    """
    done = min(1.0, progress / share) if share else 1.0
    return math.exp(-5.0 * (1.0 - done) ** 2)


@contextmanager
def with_average(network: Network, average: Average) -> Iterator[None]:
    """Inside, the network computes with the averaged weights, in eval mode; outside, as if nothing had happened."""
    training, own = network.training, {name: network.get_parameter(name).data for name in average.names}
    for index, name in enumerate(average.names):
        network.get_parameter(name).data = average.get_buffer(f"weight_{index}")
    network.eval()
    try:
        yield
    finally:
        network.train(training)
        for name, data in own.items():
            network.get_parameter(name).data = data


@dataclass(frozen=True)
class SelfDistil(Technique):
    """Add the divergence from the predictions of the averaged weights to the loss, on all rows, labelled or not.

    weight: factor on it, at least 0; 0 is off. decay: of the average after each step, from 0 (the last step's weights)
    to below 1; lower in the first steps. rise: share of the run over which the weight rises, from 0 to 1.
    """

    weight: float = 1.0
    decay: float = 0.99
    rise: float = 0.3

    name: ClassVar[str] = "self-distil"
    phase: ClassVar[Phase] = Phase.DISTIL
    needs: ClassVar[frozenset[str]] = frozenset({"comparable_predictions"})
    summary: ClassVar[str] = "agree with the moving average of the own weights (mean teacher)"
    whole_weights: ClassVar[str] = "learns from a copy of the network, and sharded layers can't be copied"
    searched: ClassVar[Spaces] = {"weight": Range(0.25, 4.0, log=True), "decay": Choice((0.95, 0.99, 0.995))}
    uses_unlabelled: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_range(self.name, "weight", self.weight, 0.0, math.inf)
        check_range(self.name, "decay", self.decay, 0.0, 1.0, below=True)
        check_range(self.name, "rise", self.rise, 0.0, 1.0)

    @property
    def off(self) -> bool:
        return self.weight == 0.0

    def cost(self, inner: Cost) -> Cost:
        return inner.plus(1, 0)

    def attach(self, network: Network, setup: Setup) -> Graft:
        average = Average(network)

        def objective(inner: Objective) -> Objective:
            def measure(forward: Forward, batch: Batch) -> LossOutput:
                with torch.no_grad(), with_average(network, average):
                    teacher_outputs = forward(batch).predictions
                first = inner(forward, batch)
                terms = dict(first.terms)
                weight = self.weight * ramp(batch.progress, self.rise)
                for name, task in setup.tasks.items():
                    value = divergence(task, first.output.predictions[name], teacher_outputs[name])
                    terms[f"{self.name} {name}"] = per_row(value, batch, weight)
                return LossOutput(terms, first.output)

            return measure

        def after_step(network: Network) -> None:
            average.update(network, 1.0 - min(self.decay, 1.0 - 1.0 / (int(average.step) + 2)))

        return Graft(objective=objective, after_step=after_step, state=average)
