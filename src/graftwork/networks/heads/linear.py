"""One linear layer: the solution of a convex problem, with a penalty that is chosen on held-out rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from graftwork.networks.heads.head import check_setting
from graftwork.networks.heads.rows import RowHead, RowHeadSettings
from graftwork.networks.heads.solving.fitting import fit_linear
from graftwork.networks.heads.solving.problem import Problem


@dataclass(frozen=True, kw_only=True)
class Linear(RowHeadSettings):
    """One linear layer. dropout: share of features dropped in training, from 0 to below 1."""

    dropout: float = 0.0

    name: ClassVar[str] = "linear"
    fits: ClassVar[frozenset[str]] = frozenset({"row_outputs"})

    def __post_init__(self) -> None:
        check_setting(0 <= self.dropout < 1, "linear", "dropout", self.dropout, "0 or more, and less than 1")

    def layers(self, width: int, outputs: int) -> nn.Sequential:
        return nn.Sequential(nn.Dropout(self.dropout), nn.Linear(width, outputs))

    def solve(self, head: RowHead, problem: Problem) -> None:
        fit_linear(head, problem)
