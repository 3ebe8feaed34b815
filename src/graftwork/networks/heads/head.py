"""What a head is: it reads the features of rows (or of tokens, or maps) and gives the predictions of one target.

A kind of head is a class of settings in a file of its own, whose `build` makes the module.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

from torch import Tensor, nn

from graftwork.data.batch import Batch, Tensors
from graftwork.errors import UsageError
from graftwork.networks.encoder import Encoder
from graftwork.networks.features import Features
from graftwork.networks.heads.solving.problem import Problem
from graftwork.spaces import Spaces

Reads = Literal["rows", "tokens", "levels", "native"]
"""The fused features of a row; the vectors of an input's tokens; the maps of a CNN from fine to coarse; or the model of
an input as it is."""


class MakesHeads(Protocol):
    """The fusion of a network: it knows how features of inputs stand beside each other."""

    def head(self, outputs: int, spec: str) -> Head: ...


class NetworkBelow(Protocol):
    """What a head may know of the network that it joins (`networks/network.py`)."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Its inputs."""

    @property
    def fusion(self) -> MakesHeads:
        """What makes heads of a row's features."""

    def encoder(self, column: str) -> Encoder:
        """That of one input."""


@dataclass(frozen=True, kw_only=True)
class HeadSettings(ABC):
    """Settings of one kind of head. A setting out of its range is a UsageError."""

    name: ClassVar[str]
    fits: ClassVar[frozenset[str]]
    """What it needs of a task: facts, all of them (`graftwork.core.contract.facts.FACTS`)."""
    searched: ClassVar[Spaces] = {}
    """Where `graft tune` searches its settings, by name."""

    @abstractmethod
    def build(self, network: NetworkBelow, outputs: int, spec: str) -> Head:
        """A new head of a network for a target of so many outputs. spec: the written form of these settings.

        Raises UsageError where the network has nothing that it can read.
        """


class Head(nn.Module, ABC):
    """Features and batch in, the predictions of one target out. Subclasses set `spec` and `outputs`."""

    reads: ClassVar[Reads]
    reads_table: ClassVar[bool] = False
    """Whether it uses what the base embeds its tokens by (`Tokens.table`)."""

    spec: str
    """Its settings, written."""
    outputs: int
    """Numbers that it gives of a row, a token or a place."""

    @abstractmethod
    def forward(self, seen: Features, batch: Batch) -> Tensors:
        """What the task's loss reads. batch: for what is taught by its targets."""

    def generate(self, seen: Features, batch: Batch) -> Tensors:
        """The predictions of rows that are not trained on."""
        predictions: Tensors = self(seen, batch)
        return predictions

    def embed(self, seen: Features) -> Tensor:
        """Embeddings (B, E): rows that are alike have embeddings that point the same way."""
        return seen.rows

    @property
    def inputs(self) -> frozenset[str]:
        """The inputs of which it reads tokens or maps."""
        return frozenset()

    def solve(self, problem: Problem) -> bool:
        """Set all that it learns from the features of the training rows; False where it can only learn in steps."""
        return False

    @property
    def can_be_solved(self) -> bool:
        """Whether `solve` sets it, so that it needs no step."""
        return False

    @property
    def must_be_solved(self) -> bool:
        """It can't learn from where it starts: a technique has to solve it on the training rows first."""
        return False

    @property
    def has_gradient(self) -> bool:
        """Whether it is learned step by step, and passes a gradient on to what stands below; else it is solved once, on
        features that stay as they are, and has to honour the rows' weights by itself."""
        return True

    def check_solvable(self) -> None:
        """Raise UsageError where something that solving it needs is not installed."""

    @property
    def has_dropout(self) -> bool:
        return any(isinstance(layer, nn.Dropout) and layer.p > 0 for layer in self.modules())

    def config(self) -> dict[str, Any]:
        """Plain JSON data, for a saved model."""
        return {"outputs": self.outputs, "spec": self.spec}


def check_setting(fits: bool, head: str, setting: str, value: float, expected: str) -> None:
    """Raise UsageError unless the value fits."""
    if not fits:
        raise UsageError(f"head '{head}': {setting} is {value}. Expected {expected}.")
