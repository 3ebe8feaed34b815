"""Similarity to training rows: kernel ridge regression, in closed form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from graftwork.networks.heads.head import check_setting
from graftwork.networks.heads.layers.kernel import KernelLayer
from graftwork.networks.heads.rows import RowHead, RowHeadSettings
from graftwork.networks.heads.solving.kernel import fit_kernel
from graftwork.networks.heads.solving.problem import Problem
from graftwork.spaces import Range, Spaces


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
    searched: ClassVar[Spaces] = {"gamma": Range(0.25, 4.0, log=True)}

    def __post_init__(self) -> None:
        check_setting(0 < self.gamma < float("inf"), "kernel", "gamma", self.gamma, "a number above 0")
        check_setting(self.landmarks >= 1, "kernel", "landmarks", self.landmarks, "1 or more")

    def layers(self, width: int, outputs: int) -> nn.Sequential:
        return nn.Sequential(KernelLayer(width, outputs, self.gamma))

    def solve(self, head: RowHead, problem: Problem) -> None:
        layer = head.layers[0]
        assert isinstance(layer, KernelLayer)
        fit_kernel(head, layer, self.landmarks, problem)
