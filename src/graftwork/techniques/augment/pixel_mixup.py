"""Mixup on pixels: the network learns from blends of two images, with their targets blended alike.

The original mixup; the technique `mixup` blends features instead, for every kind of input and at no cost for frozen
bases. On pixels the whole network is regularised, which helps in long training; in short runs from scratch it slows
learning down. It lowers confidence, so calibrate afterwards.

Source: Zhang et al. 2018 (mixup).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from torch import Tensor

from graftwork.spaces import Range, Spaces
from graftwork.techniques.augment.blending import blend
from graftwork.techniques.augment.mixing import ImageMixing


@dataclass(frozen=True)
class PixelMixup(ImageMixing):
    """Blend the images and the targets of pairs of rows within a batch.

    alpha: the share of the first row is drawn from Beta(alpha, alpha) once a step; at least 0; 0 is off.
    """

    alpha: float = 0.2

    name: ClassVar[str] = "pixel-mixup"
    summary: ClassVar[str] = "learn from blends of two images and their targets"
    searched: ClassVar[Spaces] = {"alpha": Range(0.1, 1.0, log=True)}

    @property
    def amount(self) -> float:
        return self.alpha

    def mix(
        self,
        images: Sequence[Tensor],
        partner: Tensor,
        share: float,
        generator: np.random.Generator,
    ) -> tuple[list[Tensor], float]:
        return [blend(pixels, partner, share) for pixels in images], share
