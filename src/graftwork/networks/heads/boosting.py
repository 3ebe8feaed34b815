"""Gradient-boosted trees: solved once on features that stay as they are, by LightGBM in a process of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from graftwork.networks.heads.head import check_setting
from graftwork.networks.heads.layers.trees import TreesLayer
from graftwork.networks.heads.rows import RowHead, RowHeadSettings
from graftwork.networks.heads.solving.boosting import Growth, check_installed, fit_boosting
from graftwork.networks.heads.solving.problem import Problem
from graftwork.spaces import Range, Spaces


@dataclass(frozen=True, kw_only=True)
class Boosting(RowHeadSettings):
    """Gradient-boosted trees on the features of a row: columns of a table as they are, beside those of frozen bases. It
    is solved once and has no gradient, so it needs a technique that solves the head and a base that stays frozen;
    training needs LightGBM (pip install 'graftwork[tables]'), predicting does not. rounds: trees of an output at most;
    held-out training rows say how many. rate: what each tree counts for, above 0 and at most 1. leaves: of a
    tree, 2 or more; 0 for the shape that is best on held-out rows. seeds: times that it is trained, each on other
    samples of the rows, and averaged; 0 for 4 where rows are few, else 1."""

    rounds: int = 1000
    rate: float = 0.1
    leaves: int = 0
    seeds: int = 0

    name: ClassVar[str] = "boosting"
    fits: ClassVar[frozenset[str]] = frozenset({"row_outputs", "named_loss"})
    must_be_solved: ClassVar[bool] = True
    has_gradient: ClassVar[bool] = False
    searched: ClassVar[Spaces] = {"rate": Range(0.02, 0.3, log=True)}

    def __post_init__(self) -> None:
        check_setting(1 <= self.rounds <= 100_000, self.name, "rounds", self.rounds, "1 to 100,000")
        check_setting(0 < self.rate <= 1, self.name, "rate", self.rate, "a number above 0, at most 1")
        check_setting(self.leaves == 0 or 2 <= self.leaves <= 1024, self.name, "leaves", self.leaves, "0, or 2 to 1024")
        check_setting(0 <= self.seeds <= 100, self.name, "seeds", self.seeds, "0 to 100")

    def layers(self, width: int, outputs: int) -> nn.Sequential:
        return nn.Sequential(TreesLayer(width, outputs))

    def check_solvable(self) -> None:
        check_installed()

    def solve(self, head: RowHead, problem: Problem) -> None:
        """Features are read as they are: trees ask only which of two values is larger."""
        layer = head.layers[0]
        assert isinstance(layer, TreesLayer)
        fit_boosting(layer, Growth(self.rounds, self.rate, self.leaves, self.seeds), problem)
