"""CutMix: a rectangle of each image is cut out and filled with that of another image; the targets by its area.

The network must see a thing in any part of it. A strong regulariser for networks that are trained for long; in short
runs from scratch it slows learning down, and it lowers confidence, so calibrate afterwards. Where a small detail in one
place says what the image is, the rectangle may cover it while the target still says so.

Source: Yun et al. 2019 (CutMix).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from torch import Tensor

from graftwork.spaces import Range, Spaces
from graftwork.techniques.augment.mixing import ImageMixing


def rectangle(size: int, share: float, x: float, y: float) -> tuple[slice, slice]:
    """Rows and columns of a square of `1 - share` of the area around a point (shares of the side), clipped to it."""
    half = size * math.sqrt(1.0 - share) / 2
    edges = [(max(0, round(at * size - half)), min(size, round(at * size + half))) for at in (y, x)]
    return slice(*edges[0]), slice(*edges[1])


@dataclass(frozen=True)
class CutMix(ImageMixing):
    """Fill a rectangle of each image from another row of the batch, and mix the targets by the areas.

    alpha: the share that is kept is drawn from Beta(alpha, alpha) once a step; at least 0; 0 is off.
    """

    alpha: float = 1.0

    name: ClassVar[str] = "cutmix"
    summary: ClassVar[str] = "fill a rectangle of each image from another row (CutMix)"
    searched: ClassVar[Spaces] = {"alpha": Range(0.2, 1.0)}

    @property
    def amount(self) -> float:
        return self.alpha

    def mix(
        self, images: Sequence[Tensor], partner: Tensor, share: float, generator: np.random.Generator
    ) -> tuple[list[Tensor], float]:
        x, y = generator.random(2)
        mixed, kept = [], []
        for pixels in images:
            rows, columns = rectangle(pixels.shape[-1], share, x, y)
            cut = pixels.clone()
            cut[..., rows, columns] = pixels[partner][..., rows, columns]
            mixed.append(cut)
            area = (rows.stop - rows.start) * (columns.stop - columns.start)
            kept.append(1.0 - area / pixels.shape[-1] ** 2)
        return mixed, float(np.mean(kept))
