"""What all augmentations share: they change the inputs of one kind in training, and nothing at evaluation."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from graftwork.core.technique import Graft, Setup, Technique
from graftwork.data.batch import Batch, Inputs
from graftwork.data.columns.joined import picks
from graftwork.data.table import Modality, joined_name
from graftwork.errors import UsageError
from graftwork.networks.encoder import Encoder
from graftwork.networks.network import Network

Change = Callable[[Inputs, torch.Generator], Inputs]
"""Inputs of one column and the technique's random stream in, changed inputs of the same rows out."""


def chance(rows: int, probability: float, generator: torch.Generator) -> Tensor:
    """Which rows (B,) are changed; drawn on the CPU, so that a run on a GPU draws the same."""
    return torch.rand(rows, generator=generator) < probability


def between(rows: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    """Numbers (B,), uniform from `low` to `high`."""
    return low + (high - low) * torch.rand(rows, generator=generator)


@dataclass(frozen=True, kw_only=True)
class Augmentation(Technique):
    """Changes the inputs of its kind at each step, every row by itself.

    columns: which columns of its kind; empty for all of them.
    """

    columns: tuple[str, ...] = ()

    modality: ClassVar[Modality]
    moves: ClassVar[bool] = False
    """Whether things change their place in the input, so that targets tied to places would have to move along."""
    depth: ClassVar[int] = 0

    @property
    @abstractmethod
    def off(self) -> bool:
        """Whether the settings leave every input as it is."""

    @abstractmethod
    def change(self, encoder: Encoder) -> Change:
        """What is done to the inputs of this encoder."""

    @property
    def needs(self) -> frozenset[str]:
        if self.off:
            return frozenset()
        return frozenset({f"{self.modality}_inputs"} | ({"row_targets"} if self.moves else set()))

    def changes(self, column: str, modality: Modality) -> bool:
        return modality == self.modality and picks(self.columns, column)

    def attach(self, network: Network, setup: Setup) -> Graft:
        changes = {name: self.change(network.encoder(name)) for name in chosen(self, network)}
        generator = setup.generator()

        def inputs(batch: Batch) -> Batch:
            changed = {name: change(batch.inputs[name], generator) for name, change in changes.items()}
            return replace(batch, inputs=batch.inputs | changed)

        return Graft(inputs=inputs, generators={"augment": generator})


def chosen(technique: Augmentation, network: Network) -> list[str]:
    """The columns that it changes, in the network's order. Raises UsageError for one that is not of its kind."""
    known = [name for name in network.columns if network.encoder(name).modality == technique.modality]
    for name in technique.columns:
        if name not in known and joined_name(technique.columns) not in known:
            raise UsageError(
                f"{technique.name}: columns names '{name}'. "
                f"Expected {technique.modality} inputs of this run: {', '.join(known)}."
            )
    return [name for name in known if technique.changes(name, technique.modality)]
