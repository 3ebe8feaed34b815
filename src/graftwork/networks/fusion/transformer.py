"""A small Transformer over the tokens of all inputs: words, places of a picture and columns attend to each other.

Sources: Vaswani et al. 2017; Tsai et al. 2019 (attention across modalities); Kim et al. 2021 (ViLT: one stream of
tokens with type embeddings, and a token in which the row is gathered).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from graftwork.networks.fusion.fusion import Projected


def capped(tokens: Tensor, counts: Tensor, most: int) -> tuple[Tensor, Tensor]:
    """At most `most` tokens a row: of a longer one, the means of that many runs of neighbours, as equal as can be.

    tokens (B, L, W), counts (B, L) bool -> (B, L', W), (B, L') with L' <= most. What a row gives does not depend on the
    rows beside it.
    """
    if tokens.shape[1] <= most and bool(counts.all()):
        return tokens, counts
    lengths = counts.sum(dim=1, keepdim=True)
    places = (counts.cumsum(dim=1) - 1).clamp(min=0)
    slots = torch.where(lengths > most, places * most // lengths.clamp(min=1), places)
    used = counts.to(tokens.dtype)
    room = tokens.new_zeros(len(tokens), min(most, tokens.shape[1]), tokens.shape[2])
    summed = room.scatter_add(1, slots.unsqueeze(2).expand_as(tokens), tokens * used.unsqueeze(2))
    filled = room.new_zeros(room.shape[:2]).scatter_add(1, slots, used)
    return summed / filled.clamp(min=1).unsqueeze(2), filled > 0


class TransformerFusion(Projected):
    """A first token that gathers the row, then the tokens of each input, projected, with a vector for the input added.

    Pre-norm layers; features are the first token, normed. Tokens of an input that a row lacks are masked.
    layers, heads, dropout: of the Transformer. tokens: of each input at most.
    """

    architecture = "fusion-transformer"
    reads_tokens = True
    uses_absent = False

    def __init__(self, widths: Sequence[int], width: int, layers: int, heads: int, dropout: float, tokens: int) -> None:
        super().__init__(widths, width)
        self.settings = {"layers": layers, "heads": heads, "dropout": dropout, "tokens": tokens}
        self.tokens = tokens
        self.gather = nn.Parameter(torch.randn(width) * 0.02)
        self.types = nn.Parameter(torch.randn(len(widths), width) * 0.02)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                width, heads, 4 * width, dropout, activation="gelu", batch_first=True, norm_first=True
            )
            for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width)

    def forward(self, parts: Sequence[Tensor], present: Sequence[Tensor | None]) -> Tensor:
        states = [self.gather.expand(len(parts[0]), 1, -1)]
        masked = [torch.zeros(len(parts[0]), 1, dtype=torch.bool, device=parts[0].device)]
        for projection, kind, tokens, counts in zip(self.each_projection(), self.types, parts, present, strict=True):
            assert counts is not None
            some, used = capped(tokens, counts, self.tokens)
            states.append(projection(some) + kind)
            masked.append(~used)
        row, hidden = torch.cat(states, dim=1), torch.cat(masked, dim=1)
        for layer in self.layers:
            row = layer(row, src_key_padding_mask=hidden)
        features: Tensor = self.norm(row[:, 0])
        return features

    def config(self) -> dict[str, Any]:
        return {**super().config(), **self.settings}
