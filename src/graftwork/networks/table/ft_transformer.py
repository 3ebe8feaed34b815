"""FT-Transformer: a Transformer over a token a column, trained from scratch.

Attention finds which columns belong together. It is slower than the MLP, and the more so the more columns there are.

Source: Gorishniy et al. 2021 (Revisiting deep learning models for tabular data).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from graftwork.data.batch import Hidden, Inputs
from graftwork.networks.features import Tokens
from graftwork.networks.table.columns import Reader
from graftwork.networks.table.encoder import ColumnVectors, TableEncoder


class _Entry(nn.Module):
    """A token a column, with a learned one in front in which the row is gathered."""

    def __init__(self, reader: Reader, width: int) -> None:
        super().__init__()
        self.tokens = ColumnVectors(reader.numbers, reader.categories, width)
        self.gather = nn.Parameter(torch.empty(width).uniform_(-(width**-0.5), width**-0.5))

    def forward(self, inputs: Inputs) -> Tensor:
        tokens = self.tokens(inputs)
        return torch.cat([self.gather.expand(len(tokens), 1, -1), tokens], dim=1)


class _Block(nn.Module):
    """Attention, then a gated layer (ReGLU), each behind a norm and added to what it read.

    The first block of all has no norm before the attention: the source found it to train better without.
    """

    def __init__(self, width: int, heads: int, dropout: float, attention_dropout: float, *, first: bool) -> None:
        super().__init__()
        self.heads, self.attention_dropout = heads, attention_dropout
        inner = width * 4 // 3
        self.before = nn.Identity() if first else nn.LayerNorm(width)
        self.projections = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, 2 * inner)
        self.down = nn.Linear(inner, width)
        self.drop = nn.Dropout(dropout)

    def forward(self, states: Tensor) -> Tensor:
        states = states + self._attend(self.before(states))
        value, gate = self.up(self.norm(states)).chunk(2, dim=-1)
        changed: Tensor = self.down(self.drop(value * torch.relu(gate)))
        return states + changed

    def _attend(self, states: Tensor) -> Tensor:
        split = self.projections(states).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        share = self.attention_dropout if self.training else 0.0
        found = functional.scaled_dot_product_attention(split[0], split[1], split[2], dropout_p=share)
        gathered: Tensor = self.out(found.transpose(1, 2).flatten(2))
        return gathered


class FTTransformerEncoder(TableEncoder):
    """Block 0 makes a token a column; then `layers` pre-norm blocks. Features are the first token, normed.

    width: of the tokens and features. heads: of the attention. dropout: in the gated layers. attention_dropout: of
    the attention's weights.
    """

    architecture = "ft-transformer"
    facts = frozenset({"sequence_blocks", "linear_layers"})

    def __init__(
        self, reader: Reader, width: int, layers: int, heads: int, dropout: float, attention_dropout: float
    ) -> None:
        super().__init__(reader)
        self.heads, self.dropout, self.attention_dropout = heads, dropout, attention_dropout
        self.depth, self.width, self.hidden_width = layers + 1, width, width
        self.entry = _Entry(reader, width)
        self.layers = nn.ModuleList(
            _Block(width, heads, dropout, attention_dropout, first=index == 0) for index in range(layers)
        )
        self.norm = nn.LayerNorm(width)
        if dropout > 0 or attention_dropout > 0:
            self.facts = self.facts | {"dropout"}

    def tokens(self, lengths: np.ndarray) -> np.ndarray:
        return lengths + 1

    def forward(self, inputs: Inputs, hidden: Hidden | None = None) -> Tensor:
        if hidden is not None and hidden.depth == self.depth:
            return hidden.states
        features: Tensor = torch.relu(self.norm(self._climb(inputs, self.depth, hidden)[:, 0]))
        return features

    def tokens_of(self, inputs: Inputs, hidden: Hidden | None = None) -> Tokens:
        """The gathering token, then one a column."""
        states: Tensor = torch.relu(self.norm(self._climb(inputs, self.depth, hidden)))
        return Tokens(states, torch.ones(states.shape[:2], dtype=torch.bool, device=states.device))

    @property
    def token_width(self) -> int:
        return self.hidden_width

    def states(self, inputs: Inputs, depth: int) -> Tensor:
        return self._climb(inputs, depth, None)

    def state_shape(self, depth: int) -> tuple[int, ...]:
        return (len(self.reader.parts) + 1, self.hidden_width)

    def blocks(self) -> list[list[nn.Module]]:
        layers = list(self.layers)
        return [[self.entry], *([layer] for layer in layers[:-1]), [layers[-1], self.norm]]

    def config(self) -> dict[str, Any]:
        return {
            "architecture": self.architecture,
            "width": self.width,
            "layers": self.depth - 1,
            "heads": self.heads,
            "dropout": self.dropout,
            "attention_dropout": self.attention_dropout,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], folder: Path) -> FTTransformerEncoder:
        names = ("width", "layers", "heads", "dropout", "attention_dropout")
        return cls(cls.read_files(folder), *(config[name] for name in names))

    def _climb(self, inputs: Inputs, depth: int, hidden: Hidden | None) -> Tensor:
        """Hidden states (B, columns + 1, width) behind the first `depth` blocks, from the inputs or from `hidden`."""
        start = 1 if hidden is None else hidden.depth
        states: Tensor = self.entry(inputs) if hidden is None else hidden.states
        for layer in self.layers[start - 1 : depth - 1]:
            states = layer(states)
        return states
