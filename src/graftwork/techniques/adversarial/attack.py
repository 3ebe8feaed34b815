"""Attacks by gradient: the change of the inputs within a small ball that does the most harm to a loss.

Plain functions over tensors by name, in the units of the inputs, shared by the techniques that train against attacks
and by the report that measures them.

Source: Goodfellow et al. 2015 (FGSM); Madry et al. 2018 (PGD); Wong et al. 2020 (one step with a random start).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Norm = Literal["linf", "l2"]
Points = dict[str, Tensor]
"""What is added to each attacked input (B, ...), by input."""
Harm = Callable[[Points], Tensor]
"""Loss of each row (B,) with these changes; differentiable."""
_TINY = 1e-12


def farthest(norm: Norm) -> float:
    """The largest radius that means something for pixels and samples."""
    return 1.0 if norm == "linf" else math.inf


@dataclass(frozen=True)
class Ball:
    """Where a change of one input may lie.

    centre: the input itself (B, ...). radius: of each row (B,), or of all; the largest change of one value ("linf"), or
    the length of the whole change of a row ("l2"). low, high: what a changed value may be. mask: which values may be
    changed, in a shape that `centre` can be multiplied by; None for all.
    """

    centre: Tensor
    radius: Tensor | float
    norm: Norm = "linf"
    low: float | None = None
    high: float | None = None
    mask: Tensor | None = None

    def zero(self) -> Tensor:
        return torch.zeros_like(self.centre)

    def project(self, delta: Tensor) -> Tensor:
        """The change (B, ...) moved into the ball, and to where the changed input is valid."""
        radius = self._rows(delta)
        delta = delta if self.mask is None else delta * self.mask
        if self.norm == "linf":
            delta = torch.maximum(torch.minimum(delta, radius), -radius)
        else:
            delta = delta * (radius / length(delta).clamp_min(_TINY)).clamp(max=1.0)
        if self.low is None and self.high is None:
            return delta
        return (self.centre + delta).clamp(self.low, self.high) - self.centre

    def random(self, generator: torch.Generator) -> Tensor:
        """A change drawn evenly from the ball; on the CPU, so that a run on a GPU draws the same."""
        shape = self.centre.shape
        if self.norm == "linf":
            drawn = 2 * torch.rand(shape, generator=generator) - 1
        else:
            drawn = torch.randn(shape, generator=generator)
            if self.mask is not None:
                drawn = drawn * self.mask.cpu()
            values = drawn[0].numel() if self.mask is None else self.mask.cpu().expand(shape).flatten(1).sum(1)
            share = torch.rand(shape[0], generator=generator) ** (1.0 / torch.as_tensor(values).clamp(min=1))
            drawn = drawn / length(drawn).clamp_min(_TINY) * share.view(-1, *[1] * (len(shape) - 1))
        drawn = drawn.to(self.centre)
        return self.project(drawn * self._rows(drawn))

    def ascent(self, gradient: Tensor, step: float) -> Tensor:
        """The move along the gradient (B, ...) that is `step` radii long."""
        if self.mask is not None:
            gradient = gradient * self.mask
        way = gradient.sign() if self.norm == "linf" else gradient / length(gradient).clamp_min(_TINY)
        return step * self._rows(gradient) * way

    def _rows(self, like: Tensor) -> Tensor:
        """The radius, to be multiplied by (B, ...)."""
        radius = torch.as_tensor(self.radius, dtype=like.dtype, device=like.device)
        shaped: Tensor = radius.view(-1, *[1] * (like.ndim - 1)) if radius.ndim else radius
        return shaped


Balls = Mapping[str, Ball]


def length(values: Tensor) -> Tensor:
    """The Euclidean length of each row (B, 1, ...), to be divided by."""
    norms: Tensor = torch.linalg.vector_norm(values.flatten(1), dim=1)
    return norms.view(-1, *[1] * (values.ndim - 1))


def slopes(harm: Harm, at: Points) -> Points:
    """How the loss of each row changes with its own inputs; the network's parameters get no gradient."""
    with torch.enable_grad():
        leaves = {name: delta.detach().requires_grad_(True) for name, delta in at.items()}
        found = torch.autograd.grad(harm(leaves).sum(), list(leaves.values()), allow_unused=True)
    pairs = zip(leaves.items(), found, strict=True)
    return {name: torch.zeros_like(leaf) if slope is None else slope for (name, leaf), slope in pairs}


def climb(harm: Harm, balls: Balls, start: Points, steps: int, step: float) -> Points:
    """Projected gradient ascent from `start`: `steps` moves of `step` radii each."""
    delta = start
    for _ in range(steps):
        slope = slopes(harm, delta)
        with torch.no_grad():
            delta = {name: ball.project(delta[name] + ball.ascent(slope[name], step)) for name, ball in balls.items()}
    return {name: value.detach() for name, value in delta.items()}


def step_size(steps: int, random_start: bool) -> float:
    """In radii: 2.5 / steps (Madry et al. 2018); of a single step 1.25 behind a random start (Wong et al. 2020), else
    1."""
    if steps > 1:
        return 2.5 / steps
    return 1.25 if random_start else 1.0


def fgsm(harm: Harm, balls: Balls) -> Points:
    """One step to the edge of the ball, from its centre."""
    return climb(harm, balls, {name: ball.zero() for name, ball in balls.items()}, 1, 1.0)


def pgd(
    harm: Harm,
    balls: Balls,
    steps: int,
    generator: torch.Generator | None = None,
    *,
    step: float | None = None,
    restarts: int = 1,
    worth: Harm | None = None,
) -> Points:
    """The worst change found by `restarts` climbs of `steps` steps each; steps=1 is (fast) FGSM.

    generator: draws where a climb begins; None begins at the inputs themselves. step: in radii; None for `step_size`.
    worth: what the climbs of a row are compared by (B,), without gradient; `harm` itself where left out.
    """
    size = step_size(steps, generator is not None) if step is None else step
    best: Points = {}
    found = torch.zeros(0)
    for _ in range(restarts):
        start = {n: ball.zero() if generator is None else ball.random(generator) for n, ball in balls.items()}
        delta = climb(harm, balls, start, steps, size)
        if restarts == 1:
            return delta
        with torch.no_grad():
            values = (worth or harm)(delta)
        best, found = (worse(best, delta, found, values), torch.maximum(found, values)) if best else (delta, values)
    return best


def worse(first: Points, second: Points, before: Tensor, after: Tensor) -> Points:
    """Of each row the second change where its value (B,) is higher, else the first."""
    better = after > before
    return {
        name: torch.where(better.view(-1, *[1] * (kept.ndim - 1)), second[name], kept) for name, kept in first.items()
    }
