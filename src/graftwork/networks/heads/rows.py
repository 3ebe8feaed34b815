"""Heads that read the fused features of a row: standardised, then a few layers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from graftwork import specs
from graftwork.data.batch import Batch, Tensors
from graftwork.networks.features import Features
from graftwork.networks.heads.head import Head, HeadSettings, NetworkBelow, Reads
from graftwork.networks.heads.registry import HEADS
from graftwork.networks.heads.solving.linear import standardise
from graftwork.networks.heads.solving.problem import Problem
from graftwork.networks.heads.solving.steps import fit_in_steps


@dataclass(frozen=True, kw_only=True)
class RowHeadSettings(HeadSettings):
    """Settings of a head that reads a row's features: which layers it has, and how they are solved."""

    must_be_solved: ClassVar[bool] = False
    """It can't learn from where it starts."""
    has_gradient: ClassVar[bool] = True
    """It is learned in steps, or at least can be trained on; else see `Head.has_gradient`."""

    @abstractmethod
    def layers(self, width: int, outputs: int) -> nn.Sequential:
        """Standardised features (B, width) -> predictions (B, outputs)."""

    def layers_of(self, parts: Sequence[int], outputs: int) -> nn.Sequential:
        """The same, where it is known how the features stand side by side: so many of each input."""
        return self.layers(sum(parts), outputs)

    def solve(self, head: RowHead, problem: Problem) -> None:
        """Set the head's layers, shift and scale: in closed form where there is one, else by training it on the
        features for some hundred steps."""
        fit_in_steps(head, problem)

    def check_solvable(self) -> None:
        """Raise UsageError where something that `solve` needs is not installed."""

    def build(self, network: NetworkBelow, outputs: int, spec: str) -> Head:
        return network.fusion.head(outputs, spec)


class RowHead(Head):
    """`layers((features - shift) * scale)`. shift and scale are identity until a warm start sets them.

    features (B, width) -> predictions (B, outputs). parts: where the features of several inputs stand side by side,
    how many of each.
    """

    reads: ClassVar[Reads] = "rows"

    shift: Tensor
    scale: Tensor

    def __init__(self, width: int, outputs: int, spec: str = "linear", parts: Sequence[int] = ()) -> None:
        super().__init__()
        self.spec, self.width, self.outputs, self.parts = spec, width, outputs, tuple(parts)
        self.layers = self.settings.layers_of(self.parts or (width,), outputs)
        self.register_buffer("shift", torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))

    @property
    def settings(self) -> RowHeadSettings:
        """What its `spec` says."""
        settings = specs.parse(self.spec, HEADS, "head")
        assert isinstance(settings, RowHeadSettings)
        return settings

    def forward(self, seen: Features, batch: Batch) -> Tensors:
        predictions: Tensors = self.of_rows(seen.rows)
        return predictions

    def of_rows(self, features: Tensor) -> Any:
        """The predictions of features (B, width): (B, outputs), or several by name where its layers give them."""
        return self.layers((features - self.shift) * self.scale)

    def embed(self, seen: Features) -> Tensor:
        """What the last layer reads (B, E)."""
        return self.embed_rows(seen.rows)

    def embed_rows(self, features: Tensor) -> Tensor:
        """The same of features (B, width)."""
        embeddings: Tensor = self.layers[:-1]((features - self.shift) * self.scale)
        return embeddings

    def solve(self, problem: Problem) -> bool:
        device = self.shift.device
        if device.type == "mps":  # heads are solved in float64, which Apple's GPUs lack
            self.to("cpu")
        self.settings.solve(self, problem)
        self.to(device)
        return True

    def standardise(self, problem: Problem) -> tuple[Tensor, Tensor]:
        """Shift and scale, set so that the features have mean 0 and variance 1 over the problem's rows."""
        shift, scale = standardise(problem.features, problem.importance)
        self.shift.copy_(torch.from_numpy(shift))
        self.scale.copy_(torch.from_numpy(scale))
        return self.shift, self.scale

    @property
    def can_be_solved(self) -> bool:
        return True

    @property
    def must_be_solved(self) -> bool:
        return self.settings.must_be_solved

    @property
    def has_gradient(self) -> bool:
        return self.settings.has_gradient

    def check_solvable(self) -> None:
        self.settings.check_solvable()

    def config(self) -> dict[str, Any]:
        return {"width": self.width, **super().config()}
