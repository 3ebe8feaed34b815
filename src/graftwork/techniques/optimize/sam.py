"""Sharpness-aware minimisation: each step follows the gradient at the worst point nearby.

A small move uphill, the gradient there, and back: the weights settle in flat valleys, which generalise better from few
or noisy rows. Every step costs two forward and backward passes, so it is seldom worth it where rows are many. It
suits fine-tuning of small tables.

Both passes see the same dropout masks and random draws, so that the second gradient is of the same function; the
recorded loss is that of the first pass, at the weights themselves.

Source: Foret et al. 2021 (SAM); Kwon et al. 2021 (ASAM, the adaptive form); Bahri et al. 2022 (for language models).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from graftwork.core.technique import Cost, Gradient, Graft, LossOutput, Objective, Phase, Setup, Technique
from graftwork.data.batch import Batch
from graftwork.networks.network import Network
from graftwork.spaces import Range, Spaces
from graftwork.techniques.checks import check_range


def ascent(weights: Sequence[Tensor], gradients: Sequence[Tensor], rho: float, adaptive: bool) -> list[Tensor]:
    """The move to the worst point within `rho`; with `adaptive`, distances are measured relative to each weight."""
    sizes = [weight.abs() if adaptive else torch.ones_like(weight) for weight in weights]
    scaled = [size * gradient for size, gradient in zip(sizes, gradients, strict=True)]
    norm = torch.stack([part.norm() for part in scaled]).norm()
    return [rho / (norm + 1e-12) * size * part for size, part in zip(sizes, scaled, strict=True)]


@dataclass(frozen=True)
class SAM(Technique):
    """Descend along the gradient of the worst point nearby.

    rho: how far away it is, at least 0; 0 is off. adaptive: measure the distance relative to each weight (ASAM), which
        wants a rho about ten times as large.
    """

    rho: float = 0.05
    adaptive: bool = False

    name: ClassVar[str] = "sam"
    phase: ClassVar[Phase] = Phase.SHARPNESS
    summary: ClassVar[str] = "seek flat minima: the gradient at the worst point nearby"
    whole_weights: ClassVar[str] = "moves along the whole gradient on its way, of which a worker has its part only"
    one_worker: ClassVar[str] = ""
    searched: ClassVar[Spaces] = {"rho": Range(0.01, 0.2, log=True)}

    def __post_init__(self) -> None:
        check_range(self.name, "rho", self.rho, 0.0, math.inf)

    @property
    def off(self) -> bool:
        return self.rho == 0.0

    def cost(self, inner: Cost) -> Cost:
        return inner.plus(inner.forwards, inner.backwards, inner.probes)

    def attach(self, network: Network, setup: Setup) -> Graft:
        def gradient(inner: Gradient) -> Gradient:
            def descend(objective: Objective, network: Network, batch: Batch) -> LossOutput:
                draws = _RandomState(setup.device)
                measured = inner(objective, network, batch)
                setup.workers.sum_gradients(p for p in network.parameters() if p.requires_grad)
                moved = [parameter for parameter in network.parameters() if parameter.grad is not None]
                before = [parameter.detach().clone() for parameter in moved]
                try:
                    self._climb(moved)
                    draws.rewind()
                    inner(objective, network, batch)
                finally:  # Ctrl-C must not leave the moved weights; from the copy, so that they come back to the bit
                    with torch.no_grad():
                        for parameter, weight in zip(moved, before, strict=True):
                            parameter.copy_(weight)
                return measured

            return descend

        return Graft(gradient=gradient)

    def _climb(self, parameters: Sequence[nn.Parameter]) -> None:
        if not parameters:
            return
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        with torch.no_grad():
            moves = ascent([p.detach() for p in parameters], gradients, self.rho, self.adaptive)
            for parameter, move in zip(parameters, moves, strict=True):
                parameter.add_(move)
                parameter.grad = None


class _RandomState:
    """The main random stream as it stands, to return to."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.cpu = torch.get_rng_state()
        self.accelerator = None if device.type == "cpu" else torch.get_device_module(device).get_rng_state(device)

    def rewind(self) -> None:
        torch.set_rng_state(self.cpu)
        if self.accelerator is not None:
            torch.get_device_module(self.device).set_rng_state(self.accelerator, self.device)
