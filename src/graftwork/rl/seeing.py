"""What a policy sees with: a network over the parts of an observation, as they are stored between environment and
algorithm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from graftwork.rl.observations import Part
from graftwork.rl.small_networks import small_network


class Seeing(nn.Module):
    """Features (B, width) of stored observations.

    small: by the place of a part, the network that reads it where no base does.
    """

    def __init__(self, parts: Sequence[Part]) -> None:
        super().__init__()
        self.names = tuple(part.name for part in parts)
        self.small = nn.ModuleList(small_network(part) for part in parts)
        self.width = sum(module.width for module in self.small)  # type: ignore[misc]  # each has one

    def forward(self, stored: Mapping[str, Tensor]) -> Tensor:
        """stored: by part (B, its stored length)."""
        found = [module(stored[name]) for name, module in zip(self.names, self.small, strict=True)]
        return found[0] if len(found) == 1 else torch.cat(found, dim=1)
