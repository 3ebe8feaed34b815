"""A small residual network over images, trained from scratch: for digits, icons and other tiny pictures.

Source: He et al. 2016 (identity mappings in residual networks); Wu and He 2018 (group normalisation, which does not
look at the other rows of a batch).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from graftwork.networks.image.encoder import ImageEncoder
from graftwork.networks.image.view import View

GROUP = 8
"""Channels of a group."""
_MEAN, _STD = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)


class GroupNorm(nn.GroupNorm):
    """In float32 under bfloat16 too: with torch's own, forward and backward of `small-cnn` took 1.4 times as long.

    torch 2.13's own ends the process in backward where its input is channels last and needs no gradient.
    """

    def forward(self, states: Tensor) -> Tensor:
        kept = states if states.requires_grad else states.contiguous()
        return super().forward(kept.float()).to(states.dtype)


class Residual(nn.Module):
    """x + conv(relu(norm(conv(relu(norm(x)))))); the first convolution may halve height and width."""

    def __init__(self, inputs: int, outputs: int, stride: int, dropout: float) -> None:
        super().__init__()
        self.norm1, self.norm2 = GroupNorm(inputs // GROUP, inputs), GroupNorm(outputs // GROUP, outputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.drop = nn.Dropout(dropout)
        self.stride, same = stride, inputs == outputs and stride == 1
        self.shortcut = nn.Identity() if same else nn.Conv2d(inputs, outputs, 1, bias=False)

    def forward(self, states: Tensor) -> Tensor:
        active = functional.relu(self.norm1(states))
        # Every second place is taken by hand: a strided 1 x 1 convolution can end the process in backward, on the
        # processor with two threads (torch 2.13, oneDNN).
        taken = active[..., :: self.stride, :: self.stride]
        shortcut: Tensor = states if isinstance(self.shortcut, nn.Identity) else self.shortcut(taken)
        mapped: Tensor = self.conv2(self.drop(functional.relu(self.norm2(self.conv1(active)))))
        return shortcut + mapped


class SmallImageEncoder(ImageEncoder):
    """A convolution, three groups of residual blocks at full, half and quarter resolution, norm, mean over the places.

    width: channels of the first group; features are 4 * width wide. blocks: residual blocks of each group.
    size: pixels a side.
    """

    architecture = "small-cnn"
    patch = 8

    def __init__(self, width: int, blocks: int, dropout: float, size: int) -> None:
        super().__init__(View(size, size, resample="bilinear"), _MEAN, _STD)
        self._settings = {"width": width, "blocks": blocks, "dropout": dropout, "size": size}
        self.depth, self.width, self.hidden_width = 1 + 3 * blocks, 4 * width, 4 * width
        self.stem = nn.Conv2d(3, width, 3, 1, 1, bias=False)
        plan = [(group, at) for group in range(3) for at in range(blocks)]
        self.layers = nn.ModuleList(
            Residual(
                width * 2 ** (group - (at == 0 and group > 0)),
                width * 2**group,
                2 if at == 0 and group > 0 else 1,
                dropout,
            )
            for group, at in plan
        )
        self.norm = GroupNorm(self.width // GROUP, self.width)
        self.facts = frozenset({"sequence_blocks"} | ({"dropout"} if dropout > 0 else set()))

    def block(self, index: int, states: Tensor) -> Tensor:
        mapped: Tensor = self.stem(states) if index == 0 else self.layers[index - 1](states)
        return mapped

    def pooled(self, states: Tensor) -> Tensor:
        return functional.relu(self.norm(states)).mean((2, 3))

    def placed(self, states: Tensor) -> Tensor:
        return super().placed(functional.relu(self.norm(states)))

    def blocks(self) -> list[list[nn.Module]]:
        layers = list(self.layers)
        return [[self.stem], *([layer] for layer in layers[:-1]), [layers[-1], self.norm]]

    def config(self) -> dict[str, Any]:
        return {"architecture": self.architecture, **self._settings}

    @classmethod
    def from_config(cls, config: dict[str, Any], folder: Path) -> SmallImageEncoder:
        return cls(**{key: value for key, value in config.items() if key != "architecture"})
