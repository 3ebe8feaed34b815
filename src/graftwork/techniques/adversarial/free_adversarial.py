"""Free adversarial training: one backward pass gives both the step of the weights and the next step of the attack.

Each batch comes several times in a row. Every time the weights learn it as the attack has changed it so far, and the
gradient in the inputs, which the same pass brings, drives the attack on. A step costs what a plain one costs; what is
paid for it is variety, since as many steps see so many times fewer batches. Use it where adversarial training is asked
for and its passes can't be paid. Fast adversarial training (`adversarial:steps=1`) costs two passes a step; at the same
cost it held a point or two more on CIFAR-10 (three seeds), and PGD training, which costs more, held most. Give it more
epochs: `replays` times those of plain training see as many different batches.

Source: Shafahi et al. 2019 (adversarial training for free!), algorithm 1: the change is carried over to the next batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor, nn

from graftwork.core.technique import Gradient, Graft, LossOutput, Objective, Setup
from graftwork.data.batch import Batch
from graftwork.data.table import Modality
from graftwork.networks.network import Forward, Network
from graftwork.spaces import Range, Spaces
from graftwork.techniques.adversarial.adversarial_training import Attacking
from graftwork.techniques.adversarial.attack import Ball, Balls, Norm, Points, farthest
from graftwork.techniques.adversarial.perturbed_inputs import SIGNALS, ball, shifted
from graftwork.techniques.checks import check_range


def carried(before: Tensor, ball: Ball) -> Tensor:
    """The change of the batch before, moved into this batch's ball; none where the shapes differ."""
    return ball.project(before.to(ball.centre)) if before.shape == ball.centre.shape else ball.zero()


@dataclass(frozen=True)
class FreeAdversarial(Attacking):
    """Train on images and sounds under an attack that costs no pass of its own.

    epsilon: how far a value may be changed, in the units of the input, as in `adversarial`; 0 is off.
    replays: how many times each batch comes in a row, at least 1; 4 to 10 are usual.
    norm: linf, where every value may change by epsilon, or l2.
    """

    epsilon: float = 0.031
    replays: int = 4
    norm: Norm = "linf"

    name: ClassVar[str] = "free-adversarial"
    summary: ClassVar[str] = "train images and sounds under attack, without passes for it (free)"
    searched: ClassVar[Spaces] = {"epsilon": Range(0.002, 0.05, log=True)}
    kinds: ClassVar[tuple[Modality, ...]] = SIGNALS
    fact: ClassVar[str] = "signals"
    claims: ClassVar[frozenset[str]] = frozenset({"attack"})
    one_worker: ClassVar[str] = "carries the change of its rows from step to step, which no other worker has"

    def __post_init__(self) -> None:
        check_range(self.name, "epsilon", self.epsilon, 0.0, farthest(self.norm))
        check_range(self.name, "replays", self.replays, 1, 1000)

    @property
    def off(self) -> bool:
        return self.epsilon == 0.0

    def attach(self, network: Network, setup: Setup) -> Graft:
        names = self.attacked(network)
        kept, step = Carried(len(names)), Step()

        def begin(batch: Batch) -> Batch:
            step.rows = batch.rows
            step.balls = {name: ball(network, name, batch, self.epsilon, self.norm) for name in names}
            starts = zip(step.balls.items(), kept.deltas(), strict=True)
            step.leaves = {name: carried(before, one).requires_grad_(True) for (name, one), before in starts}
            return batch

        def objective(inner: Objective) -> Objective:
            return lambda forward, batch: hit(inner, forward, batch)

        def hit(inner: Objective, forward: Forward, batch: Batch) -> LossOutput:
            at = step.places(batch)
            return inner(forward, shifted(network, batch, {name: leaf[at] for name, leaf in step.leaves.items()}))

        def gradient(inner: Gradient) -> Gradient:
            def descend(objective: Objective, network: Network, batch: Batch) -> LossOutput:
                measured = inner(objective, network, batch)
                kept.keep(step.moved())
                return measured

            return descend

        return Graft(inputs=begin, objective=objective, gradient=gradient, replays=self.replays, state=kept)


@dataclass
class Step:
    """What one step changes of its rows: leaves, whose gradient comes with that of the weights."""

    rows: Tensor = field(default_factory=lambda: torch.zeros(0))
    balls: Balls = field(default_factory=dict)
    leaves: Points = field(default_factory=dict)

    def places(self, part: Batch) -> Tensor:
        """Where the rows of a part of the batch (B,) stand in the whole; a row that comes twice has one change."""
        return (part.rows.unsqueeze(1) == self.rows.unsqueeze(0)).to(torch.uint8).argmax(dim=1)

    def moved(self) -> list[Tensor]:
        """The changes, a step of the whole radius further up."""
        return [self._up(self.balls[name], leaf.detach(), leaf.grad) for name, leaf in self.leaves.items()]

    @staticmethod
    def _up(ball: Ball, delta: Tensor, gradient: Tensor | None) -> Tensor:
        return delta if gradient is None else ball.project(delta + ball.ascent(gradient, 1.0))


class Carried(nn.Module):
    """The change that the next step begins with, of each attacked input; its shape is that of the batch before."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        for index in range(inputs):
            self.register_buffer(f"delta{index}", torch.zeros(0))
        self.register_load_state_dict_pre_hook(_shaped)  # type: ignore[no-untyped-call]

    def deltas(self) -> list[Tensor]:
        return [buffer for _, buffer in self.named_buffers()]

    def keep(self, deltas: list[Tensor]) -> None:
        for index, delta in enumerate(deltas):
            setattr(self, f"delta{index}", delta)


def _shaped(module: nn.Module, state: Mapping[str, Tensor], prefix: str, *_: object) -> None:
    """Room for what a checkpoint holds."""
    for name, buffer in list(module.named_buffers()):
        setattr(module, name, buffer.new_empty(state[prefix + name].shape))
