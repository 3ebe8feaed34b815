"""Late fusion: each input has a head of its own, and their predictions are averaged.

Predictions are averaged before softmax. For classes that is the geometric mean of the heads' probabilities, normalised
(a product of experts, Hinton 2002), for numbers the plain mean. It means the same for every task, since a head does not
know what its outputs stand for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from graftwork.networks.fusion.fusion import Fusion, mask
from graftwork.networks.heads.rows import RowHead
from graftwork.networks.heads.solving.problem import Problem


class LateFusion(Fusion):
    """The features of all inputs side by side, then for each input 1 where the row lacks it: what `LateHead` reads."""

    architecture = "late"
    uses_absent = False
    side_by_side = True

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__(widths)
        self.flags = len(widths)
        self.width = sum(widths) + self.flags

    def forward(self, parts: Sequence[Tensor], present: Sequence[Tensor | None]) -> Tensor:
        return torch.cat([*parts, (~mask(parts, present)).float()], dim=1)

    def head(self, outputs: int, spec: str) -> RowHead:
        return LateHead(self.widths, outputs, spec)


class LateHead(RowHead):
    """A head for each input; the mean of their predictions over the inputs that a row has."""

    def __init__(self, widths: Sequence[int], outputs: int, spec: str) -> None:
        nn.Module.__init__(self)
        self.widths, self.spec, self.outputs = tuple(widths), spec, outputs
        self.width = sum(widths) + len(widths)
        self.heads = nn.ModuleList(RowHead(width, outputs, spec) for width in widths)

    def of_rows(self, features: Tensor) -> Tensor:
        each, has = self.each(features)
        return (each * has.T.unsqueeze(2)).sum(dim=0) / has.sum(dim=1, keepdim=True).clamp(min=1e-6)

    def each(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Predictions of each input's head (inputs, B, outputs), and which inputs each row has (B, inputs)."""
        parts = features[:, : sum(self.widths)].split_with_sizes(self.widths, dim=1)
        each = torch.stack([head.of_rows(part) for head, part in zip(self._heads(), parts, strict=True)])
        return each, 1 - features[:, sum(self.widths) :]

    def embed_rows(self, features: Tensor) -> Tensor:
        parts = features[:, : sum(self.widths)].split_with_sizes(self.widths, dim=1)
        return torch.cat([head.embed_rows(part) for head, part in zip(self._heads(), parts, strict=True)], dim=1)

    def solve(self, problem: Problem) -> bool:
        """Each head by itself, on the rows that have its input."""
        start, flags = 0, sum(self.widths)
        for index, head in enumerate(self._heads()):
            has = problem.importance * (problem.features[:, flags + index] == 0)
            if has.any():
                head.solve(_part(problem, start, head.width, has))
            start += head.width
        return True

    @property
    def must_be_solved(self) -> bool:
        return any(head.must_be_solved for head in self._heads())

    @property
    def has_gradient(self) -> bool:
        return all(head.has_gradient for head in self._heads())

    def check_solvable(self) -> None:
        for head in self._heads():
            head.check_solvable()

    def _heads(self) -> list[RowHead]:
        return [head for head in self.heads if isinstance(head, RowHead)]


def _part(problem: Problem, start: int, width: int, weight: np.ndarray) -> Problem:
    """The problem of one input's head: `width` features from `start` on."""
    every = problem.places
    places = None
    if every is not None:
        places = tuple(place.moved(-start) for place in every if start <= place.start < start + width)
    features = problem.features[:, start : start + width]
    return replace(problem, features=features, weight=weight, places=places)
