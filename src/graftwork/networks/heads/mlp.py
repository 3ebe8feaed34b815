"""A small network with one hidden layer; it is solved by some hundred steps on the features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from graftwork.networks.heads.head import check_setting
from graftwork.networks.heads.rows import RowHeadSettings
from graftwork.spaces import Range, Spaces


@dataclass(frozen=True, kw_only=True)
class Mlp(RowHeadSettings):
    """One hidden layer with GELU. width: its units. dropout: before and behind it, from 0 to below 1."""

    width: int = 512
    dropout: float = 0.2

    name: ClassVar[str] = "mlp"
    fits: ClassVar[frozenset[str]] = frozenset({"row_outputs"})
    searched: ClassVar[Spaces] = {"width": Range(64, 1024, log=True), "dropout": Range(0.0, 0.5)}

    def __post_init__(self) -> None:
        check_setting(self.width >= 1, "mlp", "width", self.width, "1 or more")
        check_setting(0 <= self.dropout < 1, "mlp", "dropout", self.dropout, "0 or more, and less than 1")

    def layers(self, width: int, outputs: int) -> nn.Sequential:
        return nn.Sequential(
            nn.Dropout(self.dropout),
            nn.Linear(width, self.width),
            nn.GELU(),
            nn.Dropout(self.dropout),
            nn.Linear(self.width, outputs),
        )
