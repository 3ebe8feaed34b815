"""Towers: each input is projected by itself into one common space, where rows of both sides can be compared.

No tower sees the features of another input, so that a row of one side can be embedded without its partner.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from graftwork.errors import RefusedError
from graftwork.networks.heads.head import check_setting
from graftwork.networks.heads.layers.towers import TwoTowersLayer
from graftwork.networks.heads.rows import RowHead, RowHeadSettings
from graftwork.networks.heads.solving.correlation import fit_towers
from graftwork.networks.heads.solving.problem import Problem

TOWERS = 2
"""Inputs that are aligned."""


@dataclass(frozen=True, kw_only=True)
class Towers(RowHeadSettings):
    """Each input projected by itself into one common space, for the task retrieval. hidden: units of one hidden layer
    in each tower; 0 for a linear one. dropout: before the last layer, from 0 to below 1. bias: whether one is learned
    beside the scale; the task says it."""

    hidden: int = 0
    dropout: float = 0.0
    bias: bool = False

    name: ClassVar[str] = "towers"
    fits: ClassVar[frozenset[str]] = frozenset({"two_sides"})

    def __post_init__(self) -> None:
        check_setting(self.hidden >= 0, "towers", "hidden", self.hidden, "0 or more")
        check_setting(0 <= self.dropout < 1, "towers", "dropout", self.dropout, "0 or more, and less than 1")

    def layers(self, width: int, outputs: int) -> nn.Sequential:
        return self.layers_of([width], outputs)

    def layers_of(self, parts: Sequence[int], outputs: int) -> nn.Sequential:
        """outputs: numbers of the embeddings of both inputs, together."""
        if len(parts) != TOWERS:
            raise RefusedError(
                "The head towers projects two inputs apart from each other, but it was given features in which they "
                "are not two and side by side. Drop the technique that fuses them, or name two inputs."
            )
        layer = TwoTowersLayer(parts, outputs // TOWERS, bias=self.bias, hidden=self.hidden, dropout=self.dropout)
        return nn.Sequential(layer)

    def solve(self, head: RowHead, problem: Problem) -> None:
        """Linear towers in closed form; others in steps."""
        layer = head.layers[0]
        if isinstance(layer, TwoTowersLayer) and layer.is_linear:
            fit_towers(head, layer, problem)
        else:
            super().solve(head, problem)
