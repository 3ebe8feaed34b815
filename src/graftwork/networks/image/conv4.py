"""The four convolutions of the few-shot literature: small, quick, and made for tiny pictures.

Each block is a 3 x 3 convolution, a norm, a ReLU and a 2 x 2 maximum; the features are the places of the last block,
side by side. Groups of channels are normalised in place of batches, so that a row does not look at the others.

Source: Vinyals et al. 2016 and Snell et al. 2017 (with batch norm); Wu and He 2018 (group normalisation).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from graftwork.networks.image.encoder import ImageEncoder
from graftwork.networks.image.small_cnn import GROUP, GroupNorm
from graftwork.networks.image.view import View

_MEAN, _STD = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)


class ConvBlock(nn.Module):
    """relu(norm(conv(x))), with `halving` the maximum of 2 x 2 places: half as high and wide."""

    def __init__(self, inputs: int, outputs: int, *, halving: bool) -> None:
        super().__init__()
        self.halving = halving
        self.conv = nn.Conv2d(inputs, outputs, 3, 1, 1, bias=False)
        self.norm = GroupNorm(outputs // GROUP, outputs)

    def forward(self, states: Tensor) -> Tensor:
        normed = self.norm(self.conv(states))
        # relu(max(x)) is max(relu(x)), of a quarter of the places.
        return functional.relu(functional.max_pool2d(normed, 2) if self.halving else normed)


class Conv4Encoder(ImageEncoder):
    """`blocks` convolutions of `width` channels over pictures of `size` pixels a side, halved by the first `halvings`.

    Features are width * (size / 2^halvings)^2 wide: 64 with the usual settings.
    """

    architecture = "conv4"
    patch = 8

    def __init__(self, width: int, blocks: int, halvings: int, size: int) -> None:
        super().__init__(View(size, size, resample="bilinear"), _MEAN, _STD)
        self._settings = {"width": width, "blocks": blocks, "halvings": halvings, "size": size}
        self.depth, self.hidden_width = blocks, width
        self.width = width * (size >> halvings) ** 2
        self.layers = nn.ModuleList(ConvBlock(width if at else 3, width, halving=at < halvings) for at in range(blocks))
        self.facts = frozenset({"sequence_blocks"})

    def block(self, index: int, states: Tensor) -> Tensor:
        mapped: Tensor = self.layers[index](states)
        return mapped

    def pooled(self, states: Tensor) -> Tensor:
        return states.flatten(1)

    def blocks(self) -> list[list[nn.Module]]:
        return [[layer] for layer in self.layers]

    def config(self) -> dict[str, Any]:
        return {"architecture": self.architecture, **self._settings}

    @classmethod
    def from_config(cls, config: dict[str, Any], folder: Path) -> Conv4Encoder:
        return cls(**{key: value for key, value in config.items() if key != "architecture"})
