"""The head: standardised features to predictions, through one linear layer or a small MLP."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from graftwork import specs


@dataclass(frozen=True, kw_only=True)
class HeadSettings(ABC):
    @abstractmethod
    def layers(self, width: int, outputs: int) -> nn.Sequential: ...


@dataclass(frozen=True, kw_only=True)
class Linear(HeadSettings):
    """One linear layer. dropout: share of features dropped in training."""

    dropout: float = 0.0

    def layers(self, width: int, outputs: int) -> nn.Sequential:
        return nn.Sequential(nn.Dropout(self.dropout), nn.Linear(width, outputs))


@dataclass(frozen=True, kw_only=True)
class Mlp(HeadSettings):
    """One hidden layer with GELU. width: its units. dropout: before and behind it."""

    width: int = 512
    dropout: float = 0.2

    def layers(self, width: int, outputs: int) -> nn.Sequential:
        return nn.Sequential(
            nn.Dropout(self.dropout),
            nn.Linear(width, self.width),
            nn.GELU(),
            nn.Dropout(self.dropout),
            nn.Linear(self.width, outputs),
        )


HEADS: dict[str, type[HeadSettings]] = {"linear": Linear, "mlp": Mlp}


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
    def has_dropout(self) -> bool:
        return any(isinstance(layer, nn.Dropout) and layer.p > 0 for layer in self.layers)

    def config(self) -> dict[str, Any]:
        return {"width": self.width, "outputs": self.outputs, "spec": self.spec}
