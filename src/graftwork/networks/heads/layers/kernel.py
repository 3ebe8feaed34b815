"""Similarity to rows that are kept, times a weight for each."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


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
