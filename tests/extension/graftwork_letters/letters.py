"""A base for texts: how often each letter is in them, through one linear layer, trained from scratch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from graftwork.extend import BaseSettings, Encoder, Hidden, Inputs, TrainingRows, UsageError
from graftwork.networks.base_settings import seeded

ALPHABET = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, kw_only=True)
class Letters(BaseSettings):
    """Counts of letters through a linear layer. width: features a text."""

    width: int = 32

    name = "letters"
    summary = "counts of letters, trained from scratch"
    source = "trained from scratch"
    modality = "text"
    pretrained = False
    suggested_lr = 1e-2
    suggested_epochs = 10

    def __post_init__(self) -> None:
        if self.width < 1:
            raise UsageError(f"width is {self.width}. Expected 1 or more.")

    def build(self, rows: TrainingRows, seed: int) -> Encoder:  # noqa: ARG002
        with seeded(seed):
            return LetterEncoder(self.width)


class LetterEncoder(Encoder):
    """The logarithm of how often each letter is in a text, and a linear layer above it."""

    modality = "text"
    architecture: ClassVar[str] = "letters"
    facts = frozenset({"linear_layers"})
    depth = 1

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = self.hidden_width = width
        self.layer = nn.Linear(len(ALPHABET), width)

    def prepare(self, values: Sequence[Any]) -> list[np.ndarray]:
        return [np.asarray([text.lower().count(letter) for letter in ALPHABET], np.int32) for text in values]

    @property
    def fingerprint(self) -> str:
        return "letters 1"

    def collate(self, rows: Sequence[np.ndarray]) -> Inputs:
        return {"counts": torch.from_numpy(np.stack(rows))}

    def forward(self, inputs: Inputs, hidden: Hidden | None = None) -> Tensor:
        if hidden is not None:
            return hidden.states
        features: Tensor = self.layer(inputs["counts"].float().log1p())
        return features

    def states(self, inputs: Inputs, depth: int) -> Tensor:  # noqa: ARG002
        raise AssertionError(f"the only block has nothing behind depth {depth}")

    def blocks(self) -> list[list[nn.Module]]:
        return [[self.layer]]

    def config(self) -> dict[str, Any]:
        return {"architecture": self.architecture, "width": self.width}

    def save_files(self, folder: Path) -> None:
        """Its alphabet is its own."""

    @classmethod
    def from_config(cls, config: dict[str, Any], folder: Path) -> LetterEncoder:  # noqa: ARG003
        return cls(config["width"])
