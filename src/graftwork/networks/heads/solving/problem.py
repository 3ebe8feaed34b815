"""What a head is solved on: features and targets of training rows, and what the task makes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Protocol, cast

import numpy as np
from torch import Tensor, nn

from graftwork.networks.features import ColumnPlace

Check = Callable[[], None]
L2 = float | Literal["auto"]


def unhurried() -> None:
    """The check of a run without a clock."""


@dataclass(frozen=True)
class NamedLoss:
    """The loss of a task by the name that other libraries know it by, too.

    softmax: cross-entropy of a class index over all outputs; logistic: of 0 or 1, an output by itself; squared: the
    squared error; quantile: the pinball loss, an output for each of `levels`.
    """

    name: Literal["softmax", "logistic", "squared", "quantile"]
    levels: tuple[float, ...] = ()


class Solved(Protocol):
    """What solving asks of a task. It may also have `soften`, where its facts say `mixable_targets`, and `named_loss`
    where they say so."""

    @property
    def name(self) -> str: ...
    @property
    def facts(self) -> frozenset[str]: ...
    @property
    def outputs(self) -> int: ...
    def loss(self, predictions: Any, target: Any, /) -> Tensor: ...


def softened(task: Solved, target: Tensor) -> Tensor:
    """The targets as floating-point numbers that can be mixed, of a task whose targets can."""
    mixed: Tensor = cast(Any, task).soften(target)
    return mixed


def named_loss(task: Solved) -> NamedLoss:
    """What other libraries call the loss of a task whose facts say that they know it."""
    found: NamedLoss = cast(Any, task).named_loss
    return found


@dataclass(frozen=True)
class Problem:
    """features: what the head reads (N, width), float32; may be memory-mapped. targets (N, ...): as the task encodes
    them. weight: importance of each row (N,); None for 1 each, and rows of 0 take no part. l2: strength of the penalty
    on the weights, scikit-learn's 1/C on features of mean squared length 1; "auto" chooses it on held-out rows.
    seed: of all that is drawn. check: called now and then by what takes long. places: where the features hold the
    columns of a table; None where each feature is a number of its own."""

    features: np.ndarray
    targets: np.ndarray
    task: Solved
    weight: np.ndarray | None = None
    l2: L2 = "auto"
    seed: int = 0
    check: Check = unhurried
    places: tuple[ColumnPlace, ...] | None = None

    @cached_property
    def importance(self) -> np.ndarray:
        """`weight`, float32."""
        return np.ones(len(self.features), np.float32) if self.weight is None else self.weight.astype(np.float32)

    def used(self, most: int | None = None) -> np.ndarray:
        """Numbers of the rows that count, in order; of more than `most`, a sample."""
        rows = np.flatnonzero(self.importance > 0)
        if most is None or len(rows) <= most:
            return rows
        return np.sort(np.random.default_rng(self.seed).choice(rows, most, replace=False))


class SolvableHead(Protocol):
    """What solving sets of a head of a row's features, and how it asks for predictions (`heads/rows.py`)."""

    outputs: int
    layers: nn.Sequential
    shift: Tensor
    scale: Tensor
    training: bool

    def standardise(self, problem: Problem) -> tuple[Tensor, Tensor]: ...
    def of_rows(self, features: Tensor) -> Any: ...
    def parameters(self, recurse: bool = True) -> Iterator[nn.Parameter]: ...
    def train(self, mode: bool = True) -> Any: ...
    def zero_grad(self, set_to_none: bool = True) -> None: ...
