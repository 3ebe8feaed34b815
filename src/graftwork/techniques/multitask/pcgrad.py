"""PCGrad: where the gradients of two targets point against each other, each gives up what harms the other.

Targets that share a base may pull it in opposite directions. The gradient of each target is projected onto the plane in
which it does no harm to the others, one after the other in random order, and the results are added. It helps where
targets really conflict; where they agree it changes nothing and costs one backward pass for each target. What only one
target trains (its head) is left as it is. Terms that belong to no single target are shared out evenly.

A batch computed in parts is projected part by part, so its result depends on the parts.

Source: Yu et al. 2020 (gradient surgery for multi-task learning).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from graftwork.core.parallel.workers import Workers
from graftwork.core.technique import Gradient, Graft, LossOutput, Objective, Phase, Setup, Technique
from graftwork.data.batch import Batch
from graftwork.networks.network import Network
from graftwork.techniques.multitask.targets import check_terms
from graftwork.techniques.streams import StepStream


def project(gradients: Tensor, order: Sequence[Sequence[int]]) -> Tensor:
    """The sum of the gradients (T, P) -> (P,), each freed of what points against the others.

    order: for each target, the others in the order in which it gives way to them. A gradient whose length is nothing in
    its precision (a target that is learned) points nowhere.
    """
    lengths = torch.linalg.vector_norm(gradients, dim=1, keepdim=True)
    units = torch.where(lengths > 0, gradients / lengths, 0.0)
    total = torch.zeros_like(gradients[0])
    for own, others in zip(gradients, order, strict=True):
        projected = own.clone()
        for other in others:
            projected -= torch.dot(projected, units[other]).clamp(max=0.0) * units[other]
        total += projected
    return total


@dataclass(frozen=True)
class PCGrad(Technique):
    """Project conflicting gradients of the targets. No settings."""

    name: ClassVar[str] = "pcgrad"
    phase: ClassVar[Phase] = Phase.TARGETS
    summary: ClassVar[str] = "project conflicting gradients of the targets"
    whole_weights: ClassVar[str] = "compares the whole gradients of the targets, of which a worker has its part only"
    needs: ClassVar[frozenset[str]] = frozenset({"several_targets", "trainable_features"})
    couples_rows: ClassVar[bool] = True
    one_worker: ClassVar[str] = ""

    def attach(self, network: Network, setup: Setup) -> Graft:
        stream, targets = StepStream(setup.generator()), tuple(setup.tasks)

        def gradient(_inner: Gradient) -> Gradient:
            def descend(objective: Objective, network: Network, batch: Batch) -> LossOutput:
                measured = objective(network.as_forward(), batch)
                check_terms(self.name, measured.terms, targets)
                draw = torch.Generator().manual_seed(setup.workers.same(stream.seed(batch)))
                order = [_others(index, len(targets), draw) for index in range(len(targets))]
                _descend(network, _shares(measured, targets), order, setup.workers)
                return measured

            return descend

        return Graft(
            inputs=stream.renew,
            gradient=gradient,
            generators={"order": stream.generator},
            cost=lambda inner: inner.plus(0, (inner.backwards - inner.probes) * (len(targets) - 1)),
        )


def _others(index: int, count: int, draw: torch.Generator) -> list[int]:
    return [other for other in torch.randperm(count, generator=draw).tolist() if other != index]


def _shares(measured: LossOutput, targets: Sequence[str]) -> list[Tensor]:
    """The loss of each target, and of what belongs to none its even share; they add up to the whole loss."""
    rest = [term.mean * term.weight for name, term in measured.terms.items() if name not in targets]
    shared = torch.stack(rest).sum() / len(targets) if rest else 0.0
    own = [measured.terms[target] for target in targets]
    return [term.mean * term.weight + shared for term in own]


def _descend(network: Network, losses: Sequence[Tensor], order: Sequence[Sequence[int]], workers: Workers) -> None:
    """Add the projected gradient to `.grad`; of several workers each adds its share of it. What is learned outside the
    network gets the plain sum."""
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    before = [parameter.grad for parameter in trained]
    each: list[list[Tensor | None]] = []
    for index, loss in enumerate(losses):
        for parameter in trained:
            parameter.grad = None
        loss.backward(retain_graph=index < len(losses) - 1)  # type: ignore[no-untyped-call]
        workers.sum_gradients(trained)
        each.append([parameter.grad for parameter in trained])
    shared = [at for at in range(len(trained)) if sum(own[at] is not None for own in each) > 1]
    flat = [torch.cat([_filled(own[at], trained[at]).flatten() for at in shared]) for own in each] if shared else []
    sizes = [trained[at].numel() for at in shared]
    parts = torch.split(project(torch.stack(flat), order), sizes) if shared else ()
    found = dict(zip(shared, parts, strict=True))
    for at, parameter in enumerate(trained):
        alone = next((own[at] for own in each if own[at] is not None), None)
        new = found[at].view_as(parameter) if at in found else alone
        new = new if new is None or workers.count == 1 else new / workers.count
        earlier = before[at]
        parameter.grad = new if earlier is None or new is None else earlier + new


def _filled(gradient: Tensor | None, parameter: nn.Parameter) -> Tensor:
    return torch.zeros_like(parameter) if gradient is None else gradient
