"""Random crops: the network sees a window of the image, larger or smaller, here or there.

So it learns not to care where in the picture a thing is and how large. It is meant for networks that are trained from
scratch for many passes; in short runs it slows learning down. Too small a window (`scale`) cuts off what the label is
about; for things that are always in the middle and of one size (scanned digits), a small `pad` alone is enough.

Source: Szegedy et al. 2015 (random resized crops); Krizhevsky 2012 and He et al. 2016 (padding, then a crop).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from graftwork.core.technique import Phase
from graftwork.data.batch import Inputs
from graftwork.data.table import Modality
from graftwork.networks.encoder import Encoder
from graftwork.spaces import Range, Spaces
from graftwork.techniques.augment.geometry import warp, window
from graftwork.techniques.augment.inputs import Augmentation, Change, between
from graftwork.techniques.checks import check_range


@dataclass(frozen=True)
class Crop(Augmentation):
    """Show a random window of each image, at the size that the base reads.

    scale: the window's area is drawn between this share of the image and all of it; 1 keeps the size.
    ratio: the smallest of its proportions, width to height or the other way around; 1 keeps them.
    pad: how far it may reach beyond the edge, where the image is reflected; a share of the side (0.125 is 4 of 32
        pixels). 1, 1 and 0 are off. With scale and ratio at 1, the image moves by whole pixels.
    """

    scale: float = 0.7
    ratio: float = 0.85
    pad: float = 0.1

    name: ClassVar[str] = "crop"
    phase: ClassVar[Phase] = Phase.CROP
    summary: ClassVar[str] = "show a random window of each image"
    searched: ClassVar[Spaces] = {"scale": Range(0.4, 0.9)}
    modality: ClassVar[Modality] = "image"
    moves: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_range(self.name, "scale", self.scale, 0.01, 1.0)
        check_range(self.name, "ratio", self.ratio, 0.1, 1.0)
        check_range(self.name, "pad", self.pad, 0.0, 0.5)

    @property
    def off(self) -> bool:
        return self.scale == self.ratio == 1.0 and self.pad == 0.0

    def change(self, encoder: Encoder) -> Change:
        def change(inputs: Inputs, generator: torch.Generator) -> Inputs:
            pixels = inputs["pixels"]
            return {"pixels": warp(pixels, self.windows(len(pixels), pixels.shape[-1], generator))}

        return change

    def windows(self, rows: int, size: int, generator: torch.Generator) -> Tensor:
        """Affine maps (B, 2, 3) of windows drawn for images of `size` pixels a side."""
        area = between(rows, self.scale, 1.0, generator)
        proportion = between(rows, math.log(self.ratio), -math.log(self.ratio), generator).exp()
        width = (area * proportion).sqrt().clamp(max=1.0)
        height = (area / proportion).sqrt().clamp(max=1.0)
        left, top = (
            between(rows, 0.0, 1.0, generator) * (1.0 - side + 2 * self.pad) - self.pad for side in (width, height)
        )
        if self.scale == self.ratio == 1.0:
            left, top = (torch.round(edge * size) / size for edge in (left, top))
        return window(left, top, width, height)
