"""Solving a linear head: a convex problem on fixed features, by L-BFGS over all rows.

The rows may be memory-mapped: they are read in chunks, so that memory stays flat as they grow. For single-label
classification the result is scikit-learn's `LogisticRegression(C=1/l2)` (for two classes with `C=2/l2`, since both
classes have weights of their own here); for regression it is `Ridge(alpha=l2/2)`.

Source: Liu & Nocedal 1989 (L-BFGS).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from graftwork.networks.heads.solving.problem import Check, Solved, unhurried

CHUNK = 16_384


@dataclass(frozen=True)
class Rows:
    """N rows of a linear problem.

    features (N, F) are read as `(features - shift) * scale`; shift and scale (F,). targets (N, ...) as `task.encode`
    gives them. weight (N,): importance of each row; rows of weight 0 are left out.
    """

    features: np.ndarray
    targets: np.ndarray
    weight: np.ndarray
    shift: Tensor
    scale: Tensor

    @property
    def total(self) -> float:
        return float(self.weight.sum(dtype=np.float64))

    def chunks(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Raw features, targets and weights, some rows at a time, on the device of `shift`."""
        for start in range(0, len(self.features), CHUNK):
            part = slice(start, start + CHUNK)
            if self.weight[part].any():
                yield (
                    self._tensor(self.features[part]),
                    self._tensor(self.targets[part]),
                    self._tensor(self.weight[part]),
                )

    def _tensor(self, values: np.ndarray) -> Tensor:
        with warnings.catch_warnings():  # a memory-mapped array can't be written to, and nothing here does
            warnings.simplefilter("ignore")
            return torch.from_numpy(values).to(self.shift.device)


@dataclass(frozen=True)
class Linear:
    """`weight @ ((features - shift) * scale) + bias`; weight (K, F), bias (K,)."""

    weight: Tensor
    bias: Tensor

    @classmethod
    def zero(cls, rows: Rows, outputs: int) -> Linear:
        return cls(rows.shift.new_zeros(outputs, len(rows.shift)), rows.shift.new_zeros(outputs))


def standardise(features: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shift and scale (F,) that give every feature mean 0 and variance 1 over the rows of weight above 0.

    A feature that hardly varies is scaled by at most 30 times the median scale: some features of a base are dead, and
    tuning it would throw them far out.
    """
    count = 0
    total, squares = np.zeros(features.shape[1]), np.zeros(features.shape[1])
    first: np.ndarray | None = None
    for start in range(0, len(features), CHUNK):
        part = features[start : start + CHUNK][weight[start : start + CHUNK] > 0].astype(np.float64)
        if not len(part):
            continue
        # Sums around the first rows' mean: the plain sum of squares cancels badly where the mean is large.
        first = part.mean(axis=0) if first is None else first
        part -= first
        count += len(part)
        total += part.sum(axis=0)
        squares += np.square(part, out=part).sum(axis=0)
    if first is None:
        return np.zeros(features.shape[1], np.float32), np.ones(features.shape[1], np.float32)
    mean = total / count
    spread = np.sqrt(np.maximum(squares / count - mean**2, 0.0))
    typical = float(np.median(spread[spread > 0])) if (spread > 0).any() else 0.0
    scale = 1.0 / np.maximum(spread, typical / 30) if typical > 0 else np.ones_like(spread)
    return (first + mean).astype(np.float32), scale.astype(np.float32)


def solve_linear(
    rows: Rows,
    task: Solved,
    *,
    l2: float,
    start: Linear | None = None,
    tolerance: float = 1e-4,
    max_iterations: int = 300,
    check: Check = unhurried,
) -> Linear:
    """The weights that minimise the rows' weighted sum of `task.loss`, plus `l2 / 2 * |weight|^2`.

    The bias is not penalised. start: where to begin (zero). tolerance: largest entry of the gradient of the mean loss
    at which the search ends, as in scikit-learn.
    """
    begin = start or Linear.zero(rows, task.outputs)
    weight, bias = begin.weight.clone().requires_grad_(), begin.bias.clone().requires_grad_()
    optimizer = torch.optim.LBFGS(
        [weight, bias],
        max_iter=max_iterations,
        tolerance_grad=tolerance,
        tolerance_change=tolerance * 1e-5,
        line_search_fn="strong_wolfe",
    )

    def closure() -> Tensor:
        check()
        value, weight.grad, bias.grad = _mean_loss(rows, task, weight.detach(), bias.detach())
        strength = l2 / rows.total
        weight.grad += strength * weight.detach()
        return value + strength / 2 * weight.detach().square().sum()

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    return Linear(weight.detach(), bias.detach())


def row_losses(rows: Rows, task: Solved, linear: Linear) -> Tensor:
    """Loss of each row of weight above 0, times its weight, on the CPU."""
    folded = linear.weight * rows.scale
    offset = linear.bias - folded @ rows.shift
    losses = []
    for features, targets, importance in rows.chunks():
        kept = importance > 0
        loss = task.loss(torch.addmm(offset, features, folded.T), targets)
        losses.append((loss * importance)[kept].cpu())
    return torch.cat(losses)


def solve_path(
    rows: Rows, held_out: Rows, task: Solved, strengths: Sequence[float], check: Check = unhurried
) -> tuple[float, Linear]:
    """The strongest penalty whose loss on held-out rows is within one standard error of the lowest, and its solution.

    strengths: from strong to weak; each solution is where the next begins. The path ends where the loss rises.
    The one-standard-error rule: Breiman et al. 1984; Hastie, Tibshirani & Friedman 2009, section 7.10.
    """
    path: list[tuple[float, float, Linear]] = []
    lowest, allowed = math.inf, math.inf
    current: Linear | None = None
    for strength in strengths:
        current = solve_linear(rows, task, l2=strength, start=current, check=check)
        losses = row_losses(held_out, task, current)
        loss = float(losses.mean())
        path.append((loss, strength, current))
        if loss > lowest:
            break
        lowest, allowed = loss, loss + float(losses.std()) / math.sqrt(len(losses))
    return next((strength, solution) for loss, strength, solution in path if loss <= allowed)


def _mean_loss(rows: Rows, task: Solved, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean loss, and its gradient to weight and bias.

    Shift and scale are folded into the weights, so that the features are used as they lie in memory.
    """
    folded = (weight * rows.scale).requires_grad_()
    offset = (bias - folded.detach() @ rows.shift).requires_grad_()
    value = torch.zeros((), dtype=torch.float64)
    for features, targets, importance in rows.chunks():
        with torch.enable_grad():
            loss = task.loss(torch.addmm(offset, features, folded.T), targets)
            part = (torch.where(importance > 0, loss, 0.0) * importance).sum() / rows.total
        part.backward()  # type: ignore[no-untyped-call]
        value += part.detach().cpu().double()
    if folded.grad is None or offset.grad is None:
        return value.float(), torch.zeros_like(weight), torch.zeros_like(bias)
    return value.float(), (folded.grad - torch.outer(offset.grad, rows.shift)) * rows.scale, offset.grad
