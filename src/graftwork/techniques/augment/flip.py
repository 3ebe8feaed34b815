"""Flips: an image and its mirror image are the same thing, so the network sees each of them half of the time.

The cheapest augmentation of photos. Leave it out where left and right have a meaning (digits, texts, road signs, hearts
on X-rays), and `vertical` where up and down have one, as in most photos.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from graftwork.core.technique import Phase
from graftwork.data.batch import Inputs
from graftwork.data.table import Modality
from graftwork.networks.encoder import Encoder
from graftwork.techniques.augment.inputs import Augmentation, Change, chance
from graftwork.techniques.checks import check_range


def mirror(pixels: Tensor, rows: Tensor, axis: int) -> Tensor:
    """pixels (B, C, H, W) with these rows (B,) mirrored along an axis: -1 left to right, -2 upside down."""
    return torch.where(rows.to(pixels.device).view(-1, 1, 1, 1), pixels.flip(axis), pixels)


@dataclass(frozen=True)
class Flip(Augmentation):
    """Mirror images at random. horizontal, vertical: probability of each, from 0 (off) to 1."""

    horizontal: float = 0.5
    vertical: float = 0.0

    name: ClassVar[str] = "flip"
    phase: ClassVar[Phase] = Phase.FLIP
    summary: ClassVar[str] = "mirror images at random"
    modality: ClassVar[Modality] = "image"
    moves: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_range(self.name, "horizontal", self.horizontal, 0.0, 1.0)
        check_range(self.name, "vertical", self.vertical, 0.0, 1.0)

    @property
    def off(self) -> bool:
        return self.horizontal == self.vertical == 0.0

    def change(self, encoder: Encoder) -> Change:
        def change(inputs: Inputs, generator: torch.Generator) -> Inputs:
            pixels = inputs["pixels"]
            pixels = mirror(pixels, chance(len(pixels), self.horizontal, generator), -1)
            return {"pixels": mirror(pixels, chance(len(pixels), self.vertical, generator), -2)}

        return change
