"""The head: standardised features to predictions, through one linear layer, a small MLP, a kernel or directions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from graftwork import specs
from graftwork.data.batch import Batch, Tensors
from graftwork.discovery.registry import Registry
from graftwork.discovery.room import classes
from graftwork.errors import RefusedError, UsageError
from graftwork.networks.features import Features
from graftwork.networks.heads.two_towers import TwoTowersLayer


@dataclass(frozen=True, kw_only=True)
class HeadSettings(ABC):
    """Settings of one kind of head. A setting out of its range is a UsageError."""

    name: ClassVar[str]

    @abstractmethod
    def layers(self, width: int, outputs: int) -> nn.Sequential:
        """Standardised features (B, width) -> predictions (B, outputs)."""

    def layers_of(self, parts: Sequence[int], outputs: int) -> nn.Sequential:
        """The same, where it is known how the features stand side by side: so many of each input."""
        return self.layers(sum(parts), outputs)


@dataclass(frozen=True, kw_only=True)
class Linear(HeadSettings):
    """One linear layer. dropout: share of features dropped in training, from 0 to below 1."""

    dropout: float = 0.0

    name: ClassVar[str] = "linear"

    def __post_init__(self) -> None:
        _check(0 <= self.dropout < 1, "linear", "dropout", self.dropout, "0 or more, and less than 1")

    def layers(self, width: int, outputs: int) -> nn.Sequential:
        return nn.Sequential(nn.Dropout(self.dropout), nn.Linear(width, outputs))


@dataclass(frozen=True, kw_only=True)
class Mlp(HeadSettings):
    """One hidden layer with GELU. width: its units. dropout: before and behind it, from 0 to below 1."""

    width: int = 512
    dropout: float = 0.2

    name: ClassVar[str] = "mlp"

    def __post_init__(self) -> None:
        _check(self.width >= 1, "mlp", "width", self.width, "1 or more")
        _check(0 <= self.dropout < 1, "mlp", "dropout", self.dropout, "0 or more, and less than 1")

    def layers(self, width: int, outputs: int) -> nn.Sequential:
        return nn.Sequential(
            nn.Dropout(self.dropout),
            nn.Linear(width, self.width),
            nn.GELU(),
            nn.Dropout(self.dropout),
            nn.Linear(self.width, outputs),
        )


@dataclass(frozen=True, kw_only=True)
class Kernel(HeadSettings):
    """Similarity to training rows: kernel ridge regression. It has nothing to start from, so it needs a technique that
    solves the head. gamma: how quickly similarity falls with distance, in mean squared distances, above 0. landmarks:
    training rows it keeps at most; with more rows than that it is solved on a sample of them (Nystrom)."""

    gamma: float = 1.0
    landmarks: int = 10_000

    name: ClassVar[str] = "kernel"

    def __post_init__(self) -> None:
        _check(0 < self.gamma < float("inf"), "kernel", "gamma", self.gamma, "a number above 0")
        _check(self.landmarks >= 1, "kernel", "landmarks", self.landmarks, "1 or more")

    def layers(self, width: int, outputs: int) -> nn.Sequential:
        return nn.Sequential(KernelLayer(width, outputs, self.gamma))


@dataclass(frozen=True, kw_only=True)
class Cosine(HeadSettings):
    """Cosines between a row's embedding and a direction for each class, times `scale` (above 0). A technique that
    solves the head projects the features so that rows of one class lie close together (`Projection`)."""

    scale: float = 16.0

    name: ClassVar[str] = "cosine"

    def __post_init__(self) -> None:
        _check(0 < self.scale < float("inf"), "cosine", "scale", self.scale, "a number above 0")

    def layers(self, width: int, outputs: int) -> nn.Sequential:
        return nn.Sequential(Projection(width), CosineLayer(width, outputs, self.scale))


@dataclass(frozen=True, kw_only=True)
class Towers(HeadSettings):
    """Each input projected by itself into one common space, for the task retrieval. hidden: units of one hidden layer
    in each tower; 0 for a linear one. dropout: before the last layer, from 0 to below 1."""

    hidden: int = 0
    dropout: float = 0.0

    name: ClassVar[str] = "towers"

    def __post_init__(self) -> None:
        _check(self.hidden >= 0, "towers", "hidden", self.hidden, "0 or more")
        _check(0 <= self.dropout < 1, "towers", "dropout", self.dropout, "0 or more, and less than 1")

    def layers(self, width: int, outputs: int) -> nn.Sequential:
        return self.layers_of([width], outputs)

    def layers_of(self, parts: Sequence[int], outputs: int) -> nn.Sequential:
        """outputs: an embedding of each of the two inputs, then a scale, and where the number is even a bias."""
        if len(parts) != TOWERS:
            raise RefusedError(
                "The head towers projects two inputs apart from each other, but it was given features in which they "
                "are not two and side by side. Drop the technique that fuses them, or name two inputs."
            )
        width, learned = divmod(outputs - 1, TOWERS)
        layer = TwoTowersLayer(parts, width, bias=bool(learned), hidden=self.hidden, dropout=self.dropout)
        return nn.Sequential(layer)


TOWERS = 2
"""Inputs that are aligned."""


def _check(fits: bool, head: str, setting: str, value: float, expected: str) -> None:
    if not fits:
        raise UsageError(f"head '{head}': {setting} is {value}. Expected {expected}.")


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


class Projection(nn.Module):
    """`x @ matrix`; x (B, width) -> (B, rank). Everything as it is until a solver sets `matrix` (width, rank)."""

    matrix: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("matrix", torch.zeros(width, 0))

    def forward(self, features: Tensor) -> Tensor:
        return features @ self.matrix if self.matrix.shape[1] else features

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *others: Any) -> None:
        """As usual, once there is room for as many columns as were saved."""
        saved = state_dict.get(f"{prefix}matrix", self.matrix)
        if saved.shape != self.matrix.shape:
            self.matrix = self.matrix.new_zeros(saved.shape)
        super()._load_from_state_dict(state_dict, prefix, *others)


class CosineLayer(nn.Module):
    """`scale * cos(x, weight of each class)`; x (B, width) -> (B, outputs), each from -scale to scale."""

    def __init__(self, width: int, outputs: int, scale: float) -> None:
        super().__init__()
        self.scale = scale
        self.weight = nn.Parameter(torch.empty(outputs, width))
        nn.init.normal_(self.weight, std=width**-0.5)

    def forward(self, embeddings: Tensor) -> Tensor:
        return self.scale * F.linear(F.normalize(embeddings, dim=1), F.normalize(self.weight, dim=1))

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *others: Any) -> None:
        """As usual, once the directions are as wide as those that were saved."""
        saved = state_dict.get(f"{prefix}weight", self.weight)
        if saved.shape != self.weight.shape:
            self.weight = nn.Parameter(self.weight.new_zeros(saved.shape))
        super()._load_from_state_dict(state_dict, prefix, *others)


HEADS: Registry[type[HeadSettings]] = Registry(
    "head", HeadSettings, partial(classes, "graftwork.networks.heads"), group="graftwork.heads"
)
"""The settings of each kind of head, found by their `name`."""


class Head(nn.Module):
    """`layers((features - shift) * scale)`. shift and scale are identity until a warm start sets them.

    features (B, width) -> predictions (B, outputs). parts: where the features of several inputs stand side by side,
    how many of each.
    """

    shift: Tensor
    scale: Tensor

    def __init__(self, width: int, outputs: int, spec: str = "linear", parts: Sequence[int] = ()) -> None:
        super().__init__()
        self.spec, self.width, self.outputs, self.parts = spec, width, outputs, tuple(parts)
        self.layers = specs.parse(spec, HEADS, "head").layers_of(self.parts or (width,), outputs)
        self.register_buffer("shift", torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))

    def forward(self, seen: Features, batch: Batch) -> Tensors:  # noqa: ARG002
        return self.of_rows(seen.rows)

    def generate(self, seen: Features, batch: Batch) -> Tensors:
        """The predictions of rows that are not trained on."""
        predictions: Tensors = self(seen, batch)
        return predictions

    def of_rows(self, features: Tensor) -> Tensor:
        """The predictions (B, outputs) of features (B, width)."""
        predictions: Tensor = self.layers((features - self.shift) * self.scale)
        return predictions

    def embed(self, features: Tensor) -> Tensor:
        """What the last layer reads (B, E): rows that are alike have embeddings that point the same way."""
        embeddings: Tensor = self.layers[:-1]((features - self.shift) * self.scale)
        return embeddings

    def members(self, features: np.ndarray) -> Iterator[tuple[Head, np.ndarray, np.ndarray | None]]:
        """The heads that are solved each by itself: this one, unless it is made of several. Of each, what it reads
        (N, its width) of `features` (N, width), and which rows have that (N,), None for all."""
        yield self, features, None

    @property
    def must_be_solved(self) -> bool:
        """It can't learn from where it starts: a technique has to solve it on the training rows first."""
        return isinstance(self.layers[0], KernelLayer)

    @property
    def has_dropout(self) -> bool:
        return any(isinstance(layer, nn.Dropout) and layer.p > 0 for layer in self.layers.modules())

    def config(self) -> dict[str, Any]:
        return {"width": self.width, "outputs": self.outputs, "spec": self.spec}
