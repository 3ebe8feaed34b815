"""Similarity to training rows: kernel ridge regression, in closed form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from graftwork.networks.heads.head import check_setting
from graftwork.networks.heads.rows import RowHead, RowHeadSettings
from graftwork.networks.heads.solving.kernel import fit_kernel
from graftwork.networks.heads.solving.problem import Problem


@dataclass(frozen=True, kw_only=True)
class Kernel(RowHeadSettings):
    """Similarity to training rows: kernel ridge regression. It has nothing to start from, so it needs a technique that
    solves the head. gamma: how quickly similarity falls with distance, in mean squared distances, above 0. landmarks:
    training rows it keeps at most; with more rows than that it is solved on a sample of them (Nystrom)."""

    gamma: float = 1.0
    landmarks: int = 10_000

    name: ClassVar[str] = "kernel"
    fits: ClassVar[frozenset[str]] = frozenset({"row_outputs", "mixable_targets"})
    must_be_solved: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_setting(0 < self.gamma < float("inf"), "kernel", "gamma", self.gamma, "a number above 0")
        check_setting(self.landmarks >= 1, "kernel", "landmarks", self.landmarks, "1 or more")

    def layers(self, width: int, outputs: int) -> nn.Sequential:
        return nn.Sequential(KernelLayer(width, outputs, self.gamma))

    def solve(self, head: RowHead, problem: Problem) -> None:
        layer = head.layers[0]
        assert isinstance(layer, KernelLayer)
        fit_kernel(head, layer, self, problem)


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
