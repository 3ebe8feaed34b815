"""A bidirectional GRU or LSTM with its own tokenizer, trained from scratch.

Quick to train on a few thousand rows without any pretrained base; a pretrained one is better where there is one for
the language. Sources: Hochreiter and Schmidhuber 1997, Cho et al. 2014, Schuster and Paliwal 1997 (both directions).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from graftwork.data.batch import Hidden, Inputs
from graftwork.networks.features import Tokens
from graftwork.networks.hub.tokenizer import TextTokenizer
from graftwork.networks.pooling import pool
from graftwork.networks.text.encoder import TextEncoder

Cell = Literal["gru", "lstm"]
_CELLS: dict[str, type[nn.GRU | nn.LSTM]] = {"gru": nn.GRU, "lstm": nn.LSTM}


class RecurrentEncoder(TextEncoder):
    """Embedding, then `layers` bidirectional layers, each a block; features are the mean and maximum over the tokens.

    width: of the embedding and of each layer (half for each direction), even; features are 2 * width wide.
    dropout: behind the embedding and each layer.
    """

    architecture = "recurrent"
    facts = frozenset({"sequence_blocks"})

    def __init__(self, tokenizer: TextTokenizer, cell: Cell, width: int, layers: int, dropout: float) -> None:
        super().__init__(tokenizer)
        self.cell, self.dropout = cell, dropout
        self.depth, self.hidden_width, self.width = layers + 1, width, 2 * width
        self.embedding = nn.Embedding(tokenizer.size, width, padding_idx=tokenizer.pad)
        make = _CELLS[cell]
        self.layers = nn.ModuleList(
            make(width, width // 2, batch_first=True, bidirectional=True) for _ in range(layers)
        )
        self.drops = nn.ModuleList(nn.Dropout(dropout) for _ in range(self.depth))
        if dropout > 0:
            self.facts = self.facts | {"dropout"}

    def forward(self, inputs: Inputs, hidden: Hidden | None = None) -> Tensor:
        if hidden is not None and hidden.depth == self.depth:
            return hidden.states
        return self.features_and_tokens(inputs, hidden)[0]

    def tokens_of(self, inputs: Inputs, hidden: Hidden | None = None) -> Tokens:
        return Tokens(self._climb(inputs, self.depth, hidden), inputs["attention_mask"].bool(), table=self.table)

    def features_and_tokens(self, inputs: Inputs, hidden: Hidden | None = None) -> tuple[Tensor, Tokens]:
        tokens, mask = self.tokens_of(inputs, hidden), inputs["attention_mask"]
        return torch.cat([pool(tokens.states, mask, "mean"), pool(tokens.states, mask, "max")], dim=1), tokens

    @property
    def table(self) -> Tensor:
        return self.embedding.weight

    @property
    def token_width(self) -> int:
        return self.hidden_width

    def states(self, inputs: Inputs, depth: int) -> Tensor:
        return self._climb(inputs, depth, None)

    def blocks(self) -> list[list[nn.Module]]:
        return [[module, drop] for module, drop in zip((self.embedding, *self.layers), self.drops, strict=True)]

    def config(self) -> dict[str, Any]:
        return {
            "architecture": self.architecture,
            "cell": self.cell,
            "width": self.hidden_width,
            "layers": self.depth - 1,
            "dropout": self.dropout,
            "tokenizer": self.tokenizer.config(),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], folder: Path) -> RecurrentEncoder:
        tokenizer = TextTokenizer.from_config(config["tokenizer"], folder)
        return cls(tokenizer, config["cell"], config["width"], config["layers"], config["dropout"])

    def _climb(self, inputs: Inputs, depth: int, hidden: Hidden | None) -> Tensor:
        """Hidden states behind the first `depth` blocks, from the tokens or from `hidden`."""
        start = 1 if hidden is None else hidden.depth
        states = self.drops[0](self.embedding(inputs["input_ids"])) if hidden is None else hidden.states
        lengths = inputs["attention_mask"].sum(1).cpu()
        for layer, drop in zip(self.layers[start - 1 : depth - 1], self.drops[start:depth], strict=True):
            # Packed, so that the backward direction begins at a row's own last token, not at padding.
            packed = pack_padded_sequence(states, lengths, batch_first=True, enforce_sorted=False)
            padded, _ = pad_packed_sequence(layer(packed)[0], batch_first=True, total_length=states.shape[1])
            states = drop(padded)
        return states
