"""The head: standardised features to predictions, through one linear layer, a small MLP or a kernel."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from graftwork import specs
from graftwork.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class HeadSettings(ABC):
    """Settings of one kind of head. A setting out of its range is a UsageError."""

    @abstractmethod
    def layers(self, width: int, outputs: int) -> nn.Sequential:
        """Standardised features (B, width) -> predictions (B, outputs)."""


@dataclass(frozen=True, kw_only=True)
class Linear(HeadSettings):
    """One linear layer. dropout: share of features dropped in training, from 0 to below 1."""

    dropout: float = 0.0

    def __post_init__(self) -> None:
        _check(0 <= self.dropout < 1, "linear", "dropout", self.dropout, "0 or more, and less than 1")

    def layers(self, width: int, outputs: int) -> nn.Sequential:
        return nn.Sequential(nn.Dropout(self.dropout), nn.Linear(width, outputs))


@dataclass(frozen=True, kw_only=True)
class Mlp(HeadSettings):
    """One hidden layer with GELU. width: its units. dropout: before and behind it, from 0 to below 1."""

    width: int = 512
    dropout: float = 0.2

    def __post_init__(self) -> None:
        _check(self.width >= 1, "mlp", "width", self.width, "1 or more")
        _check(0 <= self.dropout < 1, "mlp", "dropout", self.dropout, "0 or more, and less than 1")

    def layers(self, width: int, outputs: int) -> nn.Sequential:
        return nn.Sequential(
            nn.Dropout(self.dropout),
            nn.Linear(width, self.width),
            nn.GELU(),
            nn.Dropout(self.dropout),
            nn.Linear(self.width, outputs),
        )


@dataclass(frozen=True, kw_only=True)
class Kernel(HeadSettings):
    """Similarity to training rows: kernel ridge regression. It has nothing to start from, so it needs a technique that
    solves the head. gamma: how quickly similarity falls with distance, in mean squared distances, above 0. landmarks:
    training rows it keeps at most; with more rows than that it is solved on a sample of them (Nystrom)."""

    gamma: float = 1.0
    landmarks: int = 10_000

    def __post_init__(self) -> None:
        _check(0 < self.gamma < float("inf"), "kernel", "gamma", self.gamma, "a number above 0")
        _check(self.landmarks >= 1, "kernel", "landmarks", self.landmarks, "1 or more")

    def layers(self, width: int, outputs: int) -> nn.Sequential:
        return nn.Sequential(KernelLayer(width, outputs, self.gamma))


def _check(fits: bool, head: str, setting: str, value: float, expected: str) -> None:
    if not fits:
        raise UsageError(f"head '{head}': {setting} is {value}. Expected {expected}.")


class KernelLayer(nn.Module):
    """`exp(-gamma |x - landmark|^2 / spread) @ weight + bias`; x (B, width) -> (B, outputs).

    landmarks (M, width), weight (M, outputs) and spread are set by the solver; M is 0 before.
    """

    landmarks: Tensor
    spread: Tensor

    def __init__(self, width: int, outputs: int, gamma: float) -> None:
        super().__init__()
        self.gamma = gamma
        self.weight = nn.Parameter(torch.zeros(0, outputs))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.register_buffer("landmarks", torch.zeros(0, width))
        self.register_buffer("spread", torch.ones(()))

    def similarity(self, features: Tensor) -> Tensor:
        """(B, M)."""
        products = torch.mm(features, self.landmarks.T)
        lengths = features.square().sum(1, keepdim=True) + self.landmarks.square().sum(1)
        distances = torch.sub(lengths, products, alpha=2).clamp_min(0)
        return torch.exp(distances * (-self.gamma / self.spread))

    def forward(self, features: Tensor) -> Tensor:
        return torch.addmm(self.bias, self.similarity(features), self.weight)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *others: Any) -> None:
        """As usual, once there is room for as many landmarks as were saved."""
        rows = len(state_dict.get(f"{prefix}landmarks", self.landmarks))
        if rows != len(self.landmarks):
            self.landmarks = self.landmarks.new_zeros(rows, self.landmarks.shape[1])
            self.weight = nn.Parameter(self.weight.new_zeros(rows, self.weight.shape[1]))
        super()._load_from_state_dict(state_dict, prefix, *others)


HEADS: dict[str, type[HeadSettings]] = {"linear": Linear, "mlp": Mlp, "kernel": Kernel}


class Head(nn.Module):
    """`layers((features - shift) * scale)`. shift and scale are identity until a warm start sets them.

    features (B, width) -> predictions (B, outputs).
    """

    shift: Tensor
    scale: Tensor

    def __init__(self, width: int, outputs: int, spec: str = "linear") -> None:
        super().__init__()
        self.spec, self.width, self.outputs = spec, width, outputs
        self.layers = specs.parse(spec, HEADS, "head").layers(width, outputs)
        self.register_buffer("shift", torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))

    def forward(self, features: Tensor) -> Tensor:
        predictions: Tensor = self.layers((features - self.shift) * self.scale)
        return predictions

    @property
    def must_be_solved(self) -> bool:
        """It can't learn from where it starts: a technique has to solve it on the training rows first."""
        return isinstance(self.layers[0], KernelLayer)

    @property
    def has_dropout(self) -> bool:
        return any(isinstance(layer, nn.Dropout) and layer.p > 0 for layer in self.layers)

    def config(self) -> dict[str, Any]:
        return {"width": self.width, "outputs": self.outputs, "spec": self.spec}
