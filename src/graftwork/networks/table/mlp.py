"""A residual MLP over numbers and categories, trained from scratch.

The network that is called ResNet in its source: plain, quick, and hard to beat by more elaborate networks on tables.

Source: Gorishniy et al. 2021 (Revisiting deep learning models for tabular data).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from graftwork.data.batch import Hidden, Inputs
from graftwork.networks.table.columns import Reader
from graftwork.networks.table.encoder import ColumnVectors, TableEncoder


class _Entry(nn.Module):
    """The columns' vectors side by side, through one linear layer."""

    def __init__(self, reader: Reader, embedding: int, width: int) -> None:
        super().__init__()
        self.tokens = ColumnVectors(reader.numbers, reader.categories, embedding)
        self.linear = nn.Linear(embedding * len(reader.parts), width)

    def forward(self, inputs: Inputs) -> Tensor:
        states: Tensor = self.linear(self.tokens(inputs).flatten(1))
        return states


class _Block(nn.Module):
    """`x + drop(linear(drop(relu(linear(norm(x))))))`."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, 2 * width),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(2 * width, width),
            nn.Dropout(dropout),
        )

    def forward(self, states: Tensor) -> Tensor:
        added: Tensor = self.layers(states)
        return states + added


class TableMlpEncoder(TableEncoder):
    """Block 0 makes a vector of each column and mixes them; then `layers` residual blocks; a norm ends the last.

    embedding: width of a column's vector. width: of the states and features.
    """

    architecture = "table-mlp"
    facts = frozenset({"sequence_blocks", "linear_layers"})

    def __init__(self, reader: Reader, embedding: int, width: int, layers: int, dropout: float) -> None:
        super().__init__(reader)
        self.embedding, self.dropout = embedding, dropout
        self.depth, self.width, self.hidden_width = layers + 1, width, width
        self.entry = _Entry(reader, embedding, width)
        self.layers = nn.ModuleList(_Block(width, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        if dropout > 0:
            self.facts = self.facts | {"dropout"}

    def forward(self, inputs: Inputs, hidden: Hidden | None = None) -> Tensor:
        if hidden is not None and hidden.depth == self.depth:
            return hidden.states
        features: Tensor = torch.relu(self.norm(self._climb(inputs, self.depth, hidden)))
        return features

    def states(self, inputs: Inputs, depth: int) -> Tensor:
        return self._climb(inputs, depth, None)

    def state_shape(self, depth: int) -> tuple[int, ...]:
        return (self.hidden_width,)

    def blocks(self) -> list[list[nn.Module]]:
        layers = list(self.layers)
        return [[self.entry], *([layer] for layer in layers[:-1]), [layers[-1], self.norm]]

    def config(self) -> dict[str, Any]:
        return {
            "architecture": self.architecture,
            "embedding": self.embedding,
            "width": self.width,
            "layers": self.depth - 1,
            "dropout": self.dropout,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], folder: Path) -> TableMlpEncoder:
        return cls(cls.read_files(folder), config["embedding"], config["width"], config["layers"], config["dropout"])

    def _climb(self, inputs: Inputs, depth: int, hidden: Hidden | None) -> Tensor:
        """Hidden states (B, width) behind the first `depth` blocks, from the inputs or from `hidden`."""
        start = 1 if hidden is None else hidden.depth
        states: Tensor = self.entry(inputs) if hidden is None else hidden.states
        for layer in self.layers[start - 1 : depth - 1]:
            states = layer(states)
        return states
