"""A convolutional network over tokens with its own tokenizer, trained from scratch.

Features are the strongest answer of filters of several widths (Kim 2014); residual layers can stand below them.
The quickest of the bases to train and to predict with.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from graftwork.data.batch import Hidden, Inputs
from graftwork.networks.features import Tokens
from graftwork.networks.hub.tokenizer import TextTokenizer
from graftwork.networks.pooling import pool
from graftwork.networks.text.encoder import TextEncoder


class ConvolutionalEncoder(TextEncoder):
    """Embedding, `layers - 1` residual convolutions of width 3, then filters of `widths` with maximum over the tokens.

    width: of the embedding and of each kind of filter; features are len(widths) * width wide. dropout: behind the
    embedding and each residual layer.
    """

    architecture = "convolutional"
    facts = frozenset({"sequence_blocks", "linear_layers"})

    def __init__(
        self, tokenizer: TextTokenizer, width: int, widths: Sequence[int], layers: int, dropout: float
    ) -> None:
        super().__init__(tokenizer)
        self.widths, self.dropout = tuple(widths), dropout
        self.depth, self.hidden_width, self.width = layers + 1, width, len(self.widths) * width
        self.embedding = nn.Embedding(tokenizer.size, width, padding_idx=tokenizer.pad)
        self.layers = nn.ModuleList(nn.Conv1d(width, width, 3) for _ in range(layers - 1))
        self.filters = nn.ModuleList(nn.Conv1d(width, width, size) for size in self.widths)
        self.drops = nn.ModuleList(nn.Dropout(dropout) for _ in range(layers))
        if dropout > 0:
            self.facts = self.facts | {"dropout"}

    def forward(self, inputs: Inputs, hidden: Hidden | None = None) -> Tensor:
        if hidden is not None and hidden.depth == self.depth:
            return hidden.states
        mask = inputs["attention_mask"]
        return torch.cat([pool(answer, mask, "max") for answer in self._answers(inputs, hidden)], dim=1)

    def tokens_of(self, inputs: Inputs, hidden: Hidden | None = None) -> Tokens:
        """The answers of all filters at each token."""
        answers = torch.cat(self._answers(inputs, hidden), dim=2)
        return Tokens(answers, inputs["attention_mask"].bool(), table=self.table)

    def features_and_tokens(self, inputs: Inputs, hidden: Hidden | None = None) -> tuple[Tensor, Tokens]:
        tokens = self.tokens_of(inputs, hidden)
        return pool(tokens.states, inputs["attention_mask"], "max"), tokens

    @property
    def table(self) -> Tensor:
        return self.embedding.weight

    @property
    def token_width(self) -> int:
        return self.width

    def states(self, inputs: Inputs, depth: int) -> Tensor:
        return self._climb(inputs, depth, None)

    def blocks(self) -> list[list[nn.Module]]:
        below = [[module, drop] for module, drop in zip((self.embedding, *self.layers), self.drops, strict=True)]
        return [*below, list(self.filters)]

    def config(self) -> dict[str, Any]:
        return {
            "architecture": self.architecture,
            "width": self.hidden_width,
            "widths": list(self.widths),
            "layers": self.depth - 1,
            "dropout": self.dropout,
            "tokenizer": self.tokenizer.config(),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], folder: Path) -> ConvolutionalEncoder:
        tokenizer = TextTokenizer.from_config(config["tokenizer"], folder)
        return cls(tokenizer, config["width"], config["widths"], config["layers"], config["dropout"])

    def _answers(self, inputs: Inputs, hidden: Hidden | None) -> list[Tensor]:
        """Of the filters of each width (B, length, width)."""
        states = _masked(self._climb(inputs, self.depth - 1, hidden), inputs["attention_mask"])
        pairs = zip(self.filters, self.widths, strict=True)
        return [functional.relu(_same(conv, states, size)) for conv, size in pairs]

    def _climb(self, inputs: Inputs, depth: int, hidden: Hidden | None) -> Tensor:
        """Hidden states behind the first `depth` blocks, from the tokens or from `hidden`."""
        start = 1 if hidden is None else hidden.depth
        states = self.drops[0](self.embedding(inputs["input_ids"])) if hidden is None else hidden.states
        for layer, drop in zip(self.layers[start - 1 : depth - 1], self.drops[start:depth], strict=True):
            states = states + drop(functional.relu(_same(layer, _masked(states, inputs["attention_mask"]), 3)))
        return states


def _same(conv: nn.Module, states: Tensor, size: int) -> Tensor:
    """states (B, length, width) through `conv` of `size` tokens (or an adapter of it); zeros keep the length."""
    padded = functional.pad(states.transpose(1, 2), ((size - 1) // 2, size // 2))
    answer: Tensor = conv(padded).transpose(1, 2)
    return answer


def _masked(states: Tensor, mask: Tensor) -> Tensor:
    """Zeros at the padding, as at the ends of a text, so that a row does not see how long the others are."""
    return states * mask.unsqueeze(-1).to(states.dtype)
