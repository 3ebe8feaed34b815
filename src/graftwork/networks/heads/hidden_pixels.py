"""A head that gives the pixels of a picture back from the last map of its base, by one linear layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from graftwork.data.batch import Batch
from graftwork.errors import UsageError
from graftwork.networks.encoder import Encoder
from graftwork.networks.features import Features, Tokens
from graftwork.networks.heads.head import Head, HeadSettings, NetworkBelow, Reads
from graftwork.networks.heads.hidden_values import handed_on, probed

CHANNELS = 3


@dataclass(frozen=True, kw_only=True)
class HiddenPixels(HeadSettings):
    """One linear layer from each place of the last map to the pixels under it (Xie et al. 2022: more brings nothing).
    No settings."""

    name: ClassVar[str] = "hidden-pixels"
    fits: ClassVar[frozenset[str]] = frozenset({"hidden_pixels"})

    def build(self, network: NetworkBelow, outputs: int, spec: str) -> Head:
        read = next((name for name in network.columns if network.encoder(name).modality == "image"), None)
        if read is None:
            raise UsageError(f"The head '{self.name}' reads pictures, and no input holds any.")
        encoder = network.encoder(read)
        size = int(getattr(getattr(encoder, "view", None), "size", 0))
        grid = _probed_grid(encoder, size) if size else None
        if grid is None:
            raise UsageError(
                f"The base of '{read}' gives no map of places, from which hidden pixels are predicted. Use a CNN, such "
                "as small-cnn, conv4 or a folder with a ResNet; or the objective simclr."
            )
        return HiddenPixelHead(read, encoder.token_width, size, grid, outputs, spec)


class HiddenPixelHead(Head):
    """The last map (B, L, width) on a grid -> {"values": (B, 3, size, size), "wanted", "hidden"}: pixels as the base
    normalises them, and what the batch's targets say of them."""

    reads: ClassVar[Reads] = "tokens"

    def __init__(
        self, read: str, width: int, size: int, grid: tuple[int, int], outputs: int, spec: str = "hidden-pixels"
    ) -> None:
        super().__init__()
        self.spec, self.outputs, self.read, self.size = spec, outputs, read, size
        self.side = max(-(-size // grid[0]), -(-size // grid[1]))
        self.layer = nn.Linear(width, CHANNELS * self.side**2)

    def forward(self, seen: Features, batch: Batch) -> dict[str, Tensor]:
        tokens = seen.tokens[self.read]
        assert tokens.grid is not None
        height, width = tokens.grid
        maps = self.layer(tokens.states).transpose(1, 2).reshape(len(tokens.states), -1, height, width)
        pixels = functional.pixel_shuffle(maps, self.side)[..., : self.size, : self.size]
        return handed_on(pixels, batch)

    @property
    def inputs(self) -> frozenset[str]:
        return frozenset({self.read})


def _probed_grid(encoder: Encoder, size: int) -> tuple[int, int] | None:
    """Rows and columns of the last map; None of a base that has none."""
    device = next(encoder.parameters()).device
    tokens: Tokens = probed(encoder, {"pixels": torch.zeros(1, CHANNELS, size, size, device=device)})
    return tokens.grid
