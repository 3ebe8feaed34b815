"""Small networks for what no base reads: pictures by a plain CNN, maps of symbols by what their codes stand for."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from graftwork.rl.world.observations import SMALLEST, Part

LARGE = 36
"""Pixels a side from which the first two layers take large steps."""


class Plain(nn.Module):
    """Numbers and categories as they are."""

    def __init__(self, part: Part) -> None:
        super().__init__()
        self.width = part.length

    def forward(self, values: Tensor) -> Tensor:
        """(B, length) -> the same in float32."""
        return values.float()


class Pixels(nn.Module):
    """Three convolutions and a layer (Mnih et al. 2015, with 256 features); shorter steps for small pictures."""

    width = 256

    def __init__(self, part: Part) -> None:
        super().__init__()
        self.shape = part.shape
        height, width, channels = part.shape
        layers = ((8, 4, 0), (4, 2, 0), (3, 1, 0)) if min(height, width) >= LARGE else ((3, 2, 1), (3, 2, 1), (3, 1, 1))
        widths, below, modules = (32, 64, 64), channels, list[nn.Module]()
        for (kernel, stride, padding), above in zip(layers, widths, strict=True):
            modules += [nn.Conv2d(below, above, kernel, stride, padding), nn.ReLU()]
            below = above
        self.maps = nn.Sequential(*modules, nn.Flatten())
        with torch.no_grad():
            flat = self.maps(torch.zeros(1, channels, height, width)).shape[1]
        self.linear = nn.Linear(flat, self.width)

    def forward(self, values: Tensor) -> Tensor:
        """(B, H * W * C) bytes -> (B, width)."""
        pixels = values.reshape(-1, *self.shape).permute(0, 3, 1, 2).float() / 255
        features: Tensor = torch.relu(self.linear(self.maps(pixels)))
        return features


class Symbols(nn.Module):
    """A map of codes: each code of each channel has a vector, those of a place are added up (as the grids of BabyAI are
    read, Hui et al. 2020), two convolutions and a layer follow."""

    width, vectors = 128, 32
    codes = 256

    def __init__(self, part: Part) -> None:
        super().__init__()
        self.shape = part.shape
        height, width, channels = part.shape
        self.embedding = nn.Embedding(channels * self.codes, self.vectors)
        self.register_buffer("starts", torch.arange(channels) * self.codes, persistent=False)
        self.maps = nn.Sequential(
            *(nn.Conv2d(self.vectors, 32, 3, 1, 1), nn.ReLU(), nn.Conv2d(32, 32, 3, 1, 1), nn.ReLU(), nn.Flatten())
        )
        self.linear = nn.Linear(32 * height * width, self.width)

    def forward(self, values: Tensor) -> Tensor:
        """(B, H * W * C) codes -> (B, width)."""
        codes = values.reshape(-1, *self.shape).long() + self.get_buffer("starts")
        placed = self.embedding(codes).sum(3).permute(0, 3, 1, 2)
        features: Tensor = torch.relu(self.linear(self.maps(placed)))
        return features


def small_network(part: Part) -> Plain | Pixels | Symbols:
    """What reads a part for which no base is named; random weights come from the global stream."""
    if part.kind in ("numbers", "category"):
        return Plain(part)
    return Pixels(part) if min(part.shape[:2]) >= SMALLEST else Symbols(part)
