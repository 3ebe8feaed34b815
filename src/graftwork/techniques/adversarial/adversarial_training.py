"""What the techniques that train against attacks share: which inputs they attack, and the harm they look for."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from graftwork.core.technique import Cost, Graft, LossOutput, Objective, Phase, Setup, Technique, per_row
from graftwork.data.batch import Batch
from graftwork.data.columns.joined import picks
from graftwork.data.table import Modality
from graftwork.data.tensors import Tensors
from graftwork.networks.network import Forward, Network
from graftwork.tasks.capabilities import divergence
from graftwork.tasks.task import Task
from graftwork.techniques.adversarial.attack import Balls, Harm, Norm, Points, pgd
from graftwork.techniques.adversarial.perturbed_inputs import attackable, ball, shifted, steady, task_loss
from graftwork.techniques.checks import check_range
from graftwork.techniques.streams import StepStream, own_stream


@dataclass(frozen=True, kw_only=True)
class Attacking(Technique):
    """Finds a small change of the inputs that does harm, and trains on it.

    columns: which inputs of its kinds are attacked; empty for all of them. Rows are changed each by itself.
    """

    columns: tuple[str, ...] = ()

    phase: ClassVar[Phase] = Phase.ATTACK
    kinds: ClassVar[tuple[Modality, ...]]
    fact: ClassVar[str]
    """What the run must have: something of these kinds."""
    depth: ClassVar[int] = 0
    whole_weights: ClassVar[str] = ""

    @property
    @abstractmethod
    def off(self) -> bool:
        """Whether the settings change nothing."""

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({self.fact, "target_column"})

    def changes(self, column: str, modality: Modality) -> bool:
        return modality in self.kinds and picks(self.columns, column)

    def attacked(self, network: Network) -> list[str]:
        """The inputs of this run that are attacked. Raises UsageError for one that can't be."""
        return attackable(network, self.kinds, self.columns, self.name)


@dataclass(frozen=True)
class AdversarialTraining(Attacking):
    """Trains on the worst change found for the task's loss, by projected gradient ascent.

    epsilon: how far it may go; 0 is off. steps: of the attack, at least 1. random_start: begin somewhere in the ball.
    clean: share of the loss that the unchanged rows have, from 0 to below 1.
    """

    epsilon: float = 0.0
    steps: int = 1
    random_start: bool = False
    clean: float = 0.0

    claims: ClassVar[frozenset[str]] = frozenset({"attack"})

    def __post_init__(self) -> None:
        check_range(self.name, "epsilon", self.epsilon, 0.0, self.farthest)
        check_range(self.name, "steps", self.steps, 1, 1000)
        check_range(self.name, "clean", self.clean, 0.0, 1.0, below=True)

    @property
    def farthest(self) -> float:
        """The largest epsilon that means something."""
        return 1.0

    @property
    def off(self) -> bool:
        return self.epsilon == 0.0

    @abstractmethod
    def balls(self, network: Network, names: list[str], batch: Batch) -> Balls:
        """Where the changes may lie."""

    def cost(self, inner: Cost) -> Cost:
        doubled = inner.plus(inner.forwards, inner.backwards, inner.probes) if self.clean else inner
        return doubled.plus(self.steps, self.steps, self.steps)

    def attach(self, network: Network, setup: Setup) -> Graft:
        names, stream = self.attacked(network), StepStream(setup.generator())

        def objective(inner: Objective) -> Objective:
            def measure(forward: Forward, batch: Batch) -> LossOutput:
                draws = torch.Generator().manual_seed(stream.seed(batch)) if self.random_start else None
                with steady(network):
                    balls = self.balls(network, names, batch)
                    deltas = pgd(loss_harm(network, setup.tasks, forward, batch), balls, self.steps, draws)
                hit = inner(forward, shifted(network, batch, deltas))
                if self.clean == 0.0:
                    return hit
                with own_stream(stream.seed(batch), setup.device):
                    return blended(inner(forward, batch), hit, self.clean)

            return measure

        generators = {"start": stream.generator}
        return Graft(inputs=stream.renew, objective=objective, generators=generators)


@dataclass(frozen=True)
class Still:
    """A batch before a change; `names` are the inputs that move, `predictions` those the loss is measured on."""

    network: Network
    tasks: Mapping[str, Task]
    names: list[str]
    forward: Forward
    batch: Batch
    predictions: Mapping[str, Tensors]

    def balls(self, epsilon: float, norm: Norm, *, relative: bool = False) -> Balls:
        """Where the changes may lie."""
        return {name: ball(self.network, name, self.batch, epsilon, norm, relative=relative) for name in self.names}

    def harm(self, reference: Mapping[str, Tensors]) -> Harm:
        """How far a change moves the predictions from these."""
        return moved_harm(self.network, self.tasks, self.forward, self.batch, reference)


@dataclass(frozen=True)
class Smoothing(Attacking):
    """Adds how far predictions are moved by the change that moves them most, on all rows, labelled or not."""

    uses_unlabelled: ClassVar[bool] = True

    @property
    def needs(self) -> frozenset[str]:
        return super().needs | {"comparable_predictions"}

    @property
    @abstractmethod
    def factor(self) -> float:
        """On that divergence."""

    @abstractmethod
    def moving(self, still: Still, draws: torch.Generator) -> tuple[Points, Mapping[str, Tensors]]:
        """The change of each input named, and the predictions that should not move; in a network without chance."""

    def attach(self, network: Network, setup: Setup) -> Graft:
        names, stream, tasks = self.attacked(network), StepStream(setup.generator()), setup.tasks

        def objective(inner: Objective) -> Objective:
            def measure(forward: Forward, batch: Batch) -> LossOutput:
                first = inner(forward, batch)
                draws = torch.Generator().manual_seed(stream.seed(batch))
                with steady(network):
                    still = Still(network, tasks, names, forward, batch, first.output.predictions)
                    deltas, held = self.moving(still, draws)
                with own_stream(stream.seed(batch), setup.device):
                    hit = forward(shifted(network, batch, deltas)).predictions
                terms = dict(first.terms)
                for name, task in tasks.items():
                    value = divergence(task, hit[name], held[name])
                    terms[f"{self.name} {name}"] = per_row(value, batch, self.factor)
                return LossOutput(terms, first.output)

            return measure

        return Graft(inputs=stream.renew, objective=objective, generators={"start": stream.generator})


def loss_harm(network: Network, tasks: Mapping[str, Task], forward: Forward, batch: Batch) -> Harm:
    """The task's loss of each row of the changed batch."""
    return lambda deltas: task_loss(tasks, forward, shifted(network, batch, deltas))


def moved_harm(
    network: Network, tasks: Mapping[str, Task], forward: Forward, batch: Batch, reference: Mapping[str, Tensors]
) -> Harm:
    """How far each row's predictions move from the reference; needs no label."""

    def harm(deltas: dict[str, Tensor]) -> Tensor:
        return drift(tasks, forward(shifted(network, batch, deltas)).predictions, reference)

    return harm


def drift(tasks: Mapping[str, Task], predictions: Mapping[str, Tensors], reference: Mapping[str, Tensors]) -> Tensor:
    """The divergence of each row (B,) from the reference, its targets added up, in float32."""
    found = [divergence(task, predictions[name], reference[name]) for name, task in tasks.items()]
    return torch.stack(found).sum(0)


def blended(first: LossOutput, second: LossOutput, share: float) -> LossOutput:
    """Terms of two passes over the same rows as one: `share` of the first, the rest of the second."""
    terms = {
        name: replace(term, value=share * first.terms[name].value + (1.0 - share) * term.value)
        for name, term in second.terms.items()
    }
    return LossOutput(terms, second.output)
