"""A small CNN over grids of symbols: pictures whose values are codes (kind, colour, state of a cell) and no brightness.

Each code of each channel has a vector of its own, so that code 5 is no nearer to 6 than to 1. Worlds on a grid show
themselves so (minigrid: 7 x 7 cells of kind, colour and state).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from graftwork.networks.image.encoder import ImageEncoder
from graftwork.networks.image.view import View

_PLAIN = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
_CHANNELS = 3


def told_apart(pixels: Tensor, codes: int) -> Tensor:
    """How much each value is each code (B, C * codes, H, W): 1 for a whole number from 0 to codes - 1; one between two
    is a part of both, so that it has a gradient, and one above is the last. pixels: (B, C, H, W), code / 255."""
    values = (pixels * 255.0).clamp(0.0, codes - 1.0)
    known = torch.arange(codes, device=pixels.device, dtype=values.dtype).view(1, 1, -1, 1, 1)
    return (1.0 - (values.unsqueeze(2) - known).abs()).clamp(min=0.0).flatten(1, 2)


class SymbolEncoder(ImageEncoder):
    """Codes become vectors, then two convolutions of 3 x 3 cells; all cells side by side become `features` numbers.

    width: channels of the convolutions. codes: how many different codes a channel has at most. size: cells a side.
    """

    architecture = "symbol-cnn"
    patch = 8

    def __init__(self, width: int, features: int, codes: int, size: int) -> None:
        super().__init__(View(size, size, resample="nearest"), *_PLAIN)
        self._settings = {"width": width, "features": features, "codes": codes, "size": size}
        self.depth, self.hidden_width, self.width, self.codes = 3, width, features, codes
        self.vectors = nn.Conv2d(_CHANNELS * codes, width, 1)
        self.layers = nn.ModuleList(nn.Conv2d(width, width, 3, 1, 1) for _ in range(self.depth - 1))
        self.last = nn.Linear(width * size**2, features)
        self.facts = frozenset({"sequence_blocks"})

    def block(self, index: int, states: Tensor) -> Tensor:
        if index == 0:
            return functional.relu(self.vectors(told_apart(states, self.codes)))
        return functional.relu(self.layers[index - 1](states))

    def pooled(self, states: Tensor) -> Tensor:
        return functional.relu(self.last(states.flatten(1)))

    def blocks(self) -> list[list[nn.Module]]:
        return [[self.vectors], [self.layers[0]], [self.layers[1], self.last]]

    def config(self) -> dict[str, Any]:
        return {"architecture": self.architecture, **self._settings}

    @classmethod
    def from_config(cls, config: dict[str, Any], folder: Path) -> SymbolEncoder:
        return cls(**{key: value for key, value in config.items() if key != "architecture"})
