"""Mean pooling and scaling to length 1, written as one more Transformer layer of the kind that the base already has.

A classifier of transformers reads the first token only. One more layer can put there what our head reads:

- Attention whose queries and keys are zero weighs all tokens alike, so that it gives the mean of their values. Its
  output is made so large (`LARGE`) that the token's own residual drowns in rounding.
- LayerNorm divides by the length of a vector less its mean. Turned into the space of vectors with mean zero, features
  are thereby scaled to length 1. Where they must not be scaled, two constants of opposite sign (`STEADY`) outweigh
  them, and the length is constant but for a part in a million.
- Features that come out of a LayerNorm lie in a hyperplane, so that turning them loses nothing where that goes through
  zero. Where it does not, one of two things is left out, whichever matters less on sample texts: the constant part, or
  the direction that varies least among those that the head does not read.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

LARGE = 1e6
STEADY = 1e3


@dataclass(frozen=True)
class Affine:
    """`weight @ x + bias`: weight (C, width), bias (C,), both float64."""

    weight: Tensor
    bias: Tensor


@dataclass(frozen=True)
class Norm:
    """The LayerNorm that the features come out of: weight and bias (width,), float64."""

    weight: Tensor
    bias: Tensor

    @property
    def width(self) -> int:
        return len(self.weight)

    @property
    def bound(self) -> float:
        """No output of this norm is larger."""
        return float((self.weight.abs() * self.width**0.5 + self.bias.abs()).max())


@dataclass(frozen=True)
class Layer:
    """What one more layer computes, ahead of each of its two norms (which have weight 1 and bias 0), and who reads it.

    attention: of the mean of all tokens, added to the token itself. feedforward: of the first norm's output, added to
    it. None for nothing. readout: the head, of the second norm's output. plain_norm: whether the base's last norm is
    to have weight 1 and bias 0 (the layer takes over what they did).
    """

    attention: Affine | None
    feedforward: Affine | None
    readout: Affine
    plain_norm: bool = False


def mean_layer(head: Affine, norm: Norm) -> Layer | None:
    """A layer whose readout is the head on the mean of the tokens; None with too many outputs for its width."""
    outputs, width = head.weight.shape
    if outputs > width - 3:
        return None
    scaled = head.weight * norm.weight
    reach = (scaled.norm(dim=1) * width**0.5 + (head.weight @ norm.bias).abs()).max()
    signal = torch.zeros(width, width, dtype=torch.float64)
    signal[:outputs] = head.weight / reach
    signal[outputs] = -signal[:outputs].sum(0)  # so that the mean stays zero
    steady = torch.zeros(width, dtype=torch.float64)
    steady[-2], steady[-1] = STEADY, -STEADY
    readout = torch.zeros(outputs, width, dtype=torch.float64)
    readout[:, :outputs] = torch.eye(outputs, dtype=torch.float64) * reach * STEADY * (2 / width) ** 0.5
    return Layer(Affine(signal * LARGE, steady * LARGE), None, Affine(readout, head.bias))


def unit_mean_layer(head: Affine, norm: Norm, sample: Tensor) -> Layer:
    """As `mean_layer`, for features that are the mean of the tokens scaled to length 1.

    sample: means of some texts (N, width), to know which direction varies least.
    """
    turn, readout = _turn(head, norm, sample)
    return Layer(Affine(turn.weight * LARGE, turn.bias * LARGE), None, readout)


def unit_token_layer(head: Affine, norm: Norm, sample: Tensor) -> Layer:
    """As `unit_mean_layer`, for the first token's own state scaled to length 1."""
    turn, readout = _turn(head, norm, sample)
    # The base's last norm is made plain, so the layer's first norm changes nothing; its weight and bias follow here.
    own = torch.eye(norm.width, dtype=torch.float64)
    step = Affine(turn.weight * norm.weight - own, turn.weight @ norm.bias + turn.bias)
    return Layer(None, step, readout, plain_norm=True)


def _turn(head: Affine, norm: Norm, sample: Tensor) -> tuple[Affine, Affine]:
    """A map of features into the space of vectors with mean zero that keeps lengths, and the head behind the norm."""
    sample = sample.double()
    across, constant = _hyperplane(norm)
    choices = [_without_constant(head, across, constant, sample)]
    lost = _least(head, across, sample)
    if lost is not None:
        choices.append(_without(lost, head, across, constant, sample))
    _, turn, readout = min(choices, key=lambda choice: choice[0])
    return turn, readout


Choice = tuple[float, Affine, Affine]
"""The error in the outputs to be expected, the map, and the head behind the norm."""


def _without_constant(head: Affine, across: Tensor, constant: float, sample: Tensor) -> Choice:
    """The hyperplane's constant part is left out; its usual effect goes into the bias."""
    lengths = sample.norm(dim=1)
    zero_mean, kept = _zero_mean(_width(head)), _complement(across[None])
    turn = zero_mean.T @ kept
    effect = head.weight @ across
    share = constant / lengths
    error = float(share.std() * effect.abs().max()) + _stretched(head, sample, share.square() / 2)
    readout = Affine(head.weight @ turn.T / _width(head) ** 0.5, head.bias + effect * share.mean())
    return error, Affine(turn, torch.zeros_like(across)), readout


def _without(lost: Tensor, head: Affine, across: Tensor, constant: float, sample: Tensor) -> Choice:
    """The direction `lost` is left out; its usual energy is added to the constant part."""
    energy = (sample @ lost).square()
    level = float(constant**2 + energy.mean()) ** 0.5
    zero_mean, kept = _zero_mean(_width(head)), _complement(torch.stack([across, lost]))
    turn = zero_mean[:-1].T @ kept
    error = _stretched(head, sample, (energy - energy.mean()).abs() / 2 / sample.square().sum(1))
    read = head.weight @ turn.T + constant / level * torch.outer(head.weight @ across, zero_mean[-1])
    return error, Affine(turn, zero_mean[-1] * level), Affine(read / _width(head) ** 0.5, head.bias)


def _stretched(head: Affine, sample: Tensor, share: Tensor) -> float:
    """What it does to the outputs if each row of unit length is longer by this share."""
    outputs = (sample / sample.norm(dim=1, keepdim=True)) @ head.weight.T
    return float((outputs * share[:, None]).abs().max())


def _zero_mean(width: int) -> Tensor:
    return _complement(torch.ones(1, width, dtype=torch.float64))


def _width(head: Affine) -> int:
    return head.weight.shape[1]


def _hyperplane(norm: Norm) -> tuple[Tensor, float]:
    """The unit vector `across` with `across @ features` the same constant for all features, and that constant."""
    weight = norm.weight
    if (weight == 0).any():
        across = torch.zeros_like(weight)
        across[int((weight == 0).nonzero()[0])] = 1.0
    else:
        across = weight.abs().min() / weight
        across = across / across.norm()
    return across, float(across @ norm.bias)


def _least(head: Affine, across: Tensor, sample: Tensor) -> Tensor | None:
    """The unit vector of least energy in `sample` among those that neither head nor hyperplane has a use for."""
    free = _complement(torch.cat([head.weight, across[None]]))
    if not len(free):
        return None
    seen = sample @ free.T
    spread = seen.T @ seen / len(sample)
    least: Tensor = torch.linalg.eigh(spread).eigenvectors[:, 0] @ free
    return least


def _complement(rows: Tensor) -> Tensor:
    """An orthonormal basis, by row, of what is at right angles to all `rows`."""
    _, values, basis = torch.linalg.svd(rows, full_matrices=True)
    rank = int((values > values.max() * 1e-10).sum())
    rest: Tensor = basis[rank:]
    return rest
