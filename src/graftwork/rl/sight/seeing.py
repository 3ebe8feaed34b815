"""What a policy sees with: bases and small networks over the parts of an observation, as the algorithm stores them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from graftwork.networks.encoder import Encoder
from graftwork.networks.fusion.fusion import Fusion, Projection
from graftwork.rl.sight.base_inputs import BaseInput, features_of
from graftwork.rl.sight.small_networks import small_network
from graftwork.rl.world.observations import Part

WIDTH = 128
"""Features that are made of what all bases give."""


class Seeing(nn.Module):
    """Features (B, width) of stored observations.

    parts: that no base reads, each by a small network of its own. inputs: that bases read; their features are fused,
    standardised and brought to `WIDTH` by a layer, and go beside the others. Encoders of frozen inputs are no part of
    it: their features are what is stored.
    """

    def __init__(self, parts: Sequence[Part], inputs: Sequence[BaseInput] = (), fusion: Fusion | None = None) -> None:
        super().__init__()
        self.names = tuple(part.name for part in parts)
        small = [small_network(part) for part in parts]
        self.small = nn.ModuleList(small)
        self.inputs = tuple(inputs)
        computed = [one.encoder if computes(one) else nn.Identity() for one in inputs]
        self.encoders = nn.ModuleList(computed)
        self.fusion = fusion
        self.projection = None if fusion is None else Projection(fusion.width, WIDTH)
        self.width = sum(module.width for module in small) + (0 if fusion is None else WIDTH)

    def forward(self, stored: Mapping[str, Tensor]) -> Tensor:
        """stored: by part or input (B, its stored length)."""
        found = [module(stored[name]) for name, module in zip(self.names, self.small, strict=True)]
        if self.fusion is not None and self.projection is not None:
            fused = self.fusion(self.parts_of(stored), [None] * len(self.inputs))
            found.append(torch.relu(self.projection(fused)))
        return found[0] if len(found) == 1 else torch.cat(found, dim=1)

    def parts_of(self, stored: Mapping[str, Tensor]) -> list[Tensor]:
        """Features of each input (B, its width)."""
        return [
            features_of(encoder if isinstance(encoder, Encoder) else one.encoder, one, stored[one.name])
            for one, encoder in zip(self.inputs, self.encoders, strict=True)
        ]

    def train(self, mode: bool = True) -> Seeing:
        """As usual, but encoders don't drop anything: what was likely when it was done has to be as likely again."""
        super().train(mode)
        self.encoders.eval()
        return self


def computes(one: BaseInput) -> bool:
    """Whether the algorithm's networks compute it."""
    return one.trained or one.kind == "table"
