"""Virtual adversarial training: predictions should be smooth where they change fastest, on every row, labelled or not.

Of all small changes of a row (pixels, samples, or the embeddings of a text) it finds the one that moves the prediction
most, by power iteration, and asks for the same prediction there. It needs no label, so it learns from unlabelled rows:
that is where it pays. On rows that are all labelled it is a regulariser, mostly worth less than its cost.

Source: Miyato et al. 2018 (virtual adversarial training); Miyato et al. 2017 for texts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch

from graftwork.core.technique import Cost, Phase
from graftwork.data.table import Modality
from graftwork.data.tensors import Tensors
from graftwork.spaces import Range, Spaces
from graftwork.techniques.adversarial.adversarial_training import Smoothing, Still
from graftwork.techniques.adversarial.attack import Balls, Harm, Points, slopes
from graftwork.techniques.adversarial.perturbed_inputs import CONTINUOUS
from graftwork.techniques.checks import check_range

_PROBE = 0.1
"""Radii from the row at which the divergence is looked at: near enough for its second order to rule."""


def most_moving(harm: Harm, balls: Balls, steps: int, generator: torch.Generator) -> Points:
    """The change of each row, on the edge of its ball (L2), along which `harm` curves most.

    harm has its least value, 0, at no change. Power iteration on its Hessian, which is never formed: at a short way
    along d the gradient is the Hessian times d.
    """
    drawn = {name: torch.randn(ball.centre.shape, generator=generator).to(ball.centre) for name, ball in balls.items()}
    way = drawn
    for _ in range(steps):
        way = slopes(harm, {name: ball.ascent(way[name], _PROBE) for name, ball in balls.items()})
    return {name: ball.project(ball.ascent(way[name], 1.0)) for name, ball in balls.items()}


@dataclass(frozen=True)
class VAT(Smoothing):
    """Add the divergence at the change that moves a prediction most to the loss, on all rows, labelled or not.

    epsilon: length of the change, as a share of the length of the row (of its pixels, samples or embeddings), from 0
        (off) to 1. weight: factor on the divergence, at least 0; 0 is off. steps: of the power iteration, at least 1.
    """

    epsilon: float = 0.1
    weight: float = 1.0
    steps: int = 1

    name: ClassVar[str] = "vat"
    phase: ClassVar[Phase] = Phase.SMOOTHNESS
    summary: ClassVar[str] = "smooth predictions where they change fastest (VAT)"
    searched: ClassVar[Spaces] = {"epsilon": Range(0.02, 0.3, log=True), "weight": Range(0.3, 3.0, log=True)}
    kinds: ClassVar[tuple[Modality, ...]] = CONTINUOUS
    fact: ClassVar[str] = "continuous_inputs"

    def __post_init__(self) -> None:
        check_range(self.name, "epsilon", self.epsilon, 0.0, 1.0)
        check_range(self.name, "weight", self.weight, 0.0, math.inf)
        check_range(self.name, "steps", self.steps, 1, 100)

    @property
    def off(self) -> bool:
        return self.epsilon == 0.0 or self.weight == 0.0

    @property
    def factor(self) -> float:
        return self.weight

    def cost(self, inner: Cost) -> Cost:
        return inner.plus(self.steps + 2, self.steps + 1, self.steps)

    def moving(self, still: Still, draws: torch.Generator) -> tuple[Points, Mapping[str, Tensors]]:
        with torch.no_grad():
            fixed = still.forward(still.batch).predictions
        balls = still.balls(self.epsilon, "l2", relative=True)
        return most_moving(still.harm(fixed), balls, self.steps, draws), fixed
