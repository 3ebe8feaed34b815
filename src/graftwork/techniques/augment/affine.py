"""Random affine maps: each image a little turned, slanted, stretched and moved.

For things whose shape matters more than their pose: handwriting, signs, icons, cells. With few images a class it is
the augmentation to try first. Too strong turns destroy what has an upright meaning (6 and 9).

Source: Simard et al. 2003 (affine distortions for handwriting).
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
from graftwork.spaces import Range, Spaces
from graftwork.techniques.augment.geometry import warp
from graftwork.techniques.augment.inputs import Augmentation, Change, between
from graftwork.techniques.checks import check_range


@dataclass(frozen=True)
class Affine(Augmentation):
    """Turn, stretch, slant and move each image; all drawn evenly from minus the setting to plus it.

    degrees: how far it is turned, up to 180. stretch: log of the factor on width and on height, each by itself (0.2 is
    from 0.82 to 1.22). shear: how far the top moves against the middle, a share of half the height. shift: how far it
    moves, a share of half the side. All 0 is off. Beyond the edge the pixels of the edge go on.
    """

    degrees: float = 15.0
    stretch: float = 0.2
    shear: float = 0.2
    shift: float = 0.1

    name: ClassVar[str] = "affine"
    phase: ClassVar[Phase] = Phase.AFFINE
    summary: ClassVar[str] = "turn, stretch, slant and move each image a little"
    searched: ClassVar[Spaces] = {"degrees": Range(5.0, 30.0), "stretch": Range(0.05, 0.4), "shift": Range(0.02, 0.2)}
    modality: ClassVar[Modality] = "image"
    moves: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_range(self.name, "degrees", self.degrees, 0.0, 180.0)
        for setting in ("stretch", "shear", "shift"):
            check_range(self.name, setting, getattr(self, setting), 0.0, 1.0)

    @property
    def off(self) -> bool:
        return self.degrees == self.stretch == self.shear == self.shift == 0.0

    def change(self, encoder: Encoder) -> Change:
        def change(inputs: Inputs, generator: torch.Generator) -> Inputs:
            pixels = inputs["pixels"]
            return {"pixels": warp(pixels, self.maps(len(pixels), generator), beyond="border")}

        return change

    def maps(self, rows: int, generator: torch.Generator) -> Tensor:
        """Affine maps (B, 2, 3) from places of the new image to places of the old one, both from -1 to 1."""

        def drawn(most: float) -> Tensor:
            return between(rows, -most, most, generator)

        angle = drawn(self.degrees) * (torch.pi / 180)
        wide, high, slant = drawn(self.stretch).exp(), drawn(self.stretch).exp(), drawn(self.shear)
        across, down = drawn(self.shift), drawn(self.shift)
        cos, sin = angle.cos(), angle.sin()
        first = torch.stack([cos * wide, cos * slant - sin * high, across], dim=1)
        second = torch.stack([sin * wide, sin * slant + cos * high, down], dim=1)
        return torch.stack([first, second], dim=1)
