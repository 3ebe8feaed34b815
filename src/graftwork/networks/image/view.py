"""How an image becomes the square of pixels that a network reads: resized, cropped in the middle, enlarged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

if TYPE_CHECKING:
    from PIL import Image

Filter = Literal["nearest", "bilinear", "bicubic", "lanczos"]
FILTERS: dict[int, Filter] = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic"}
"""By Pillow's number."""
_HEADER = 12
"""Bytes before the pixels of a packed row: height, width, and whether the row is at its final size."""


@dataclass(frozen=True)
class View:
    """What of an image is looked at, and in how many pixels.

    size: pixels a side of the square that the network reads. resized: pixels that the image's shorter side is made
        first; the middle is then cut out. stretched: both sides are made so long, whatever the proportions.
    """

    size: int
    resized: int
    stretched: bool = False
    resample: Filter = "bilinear"

    def config(self) -> dict[str, Any]:
        return asdict(self)

    def with_size(self, size: int | None, crop: float | None) -> View:
        """The same view in another number of pixels. crop: the share of each side that is kept; 1 cuts nothing off."""
        if size is None and crop is None:
            return self
        wanted = size or self.size
        return replace(self, size=wanted, resized=round(wanted / (crop or self.size / self.resized)))

    # --- once a row: on disk ----------------------------------------------------------------------------------------
    def pack(self, image: Image.Image) -> np.ndarray:
        """A flat row of bytes: a header, then the RGB values (H, W, 3).

        A large image is made smaller, to `size` x `size`; a small one is kept as it is, since `unpack` makes it larger.
        """
        width, height = image.size
        small = min(width, height) < self.resized
        if not small:
            image = self._shrunk(image)
        elif self.stretched:
            image = self._resized(image, min(width, self.resized), min(height, self.resized))
        else:  # the network sees no more than a square of the middle
            side = min(width, height)
            image = _middle(image, side)
        values = np.asarray(image, np.uint8)
        header = np.array([*values.shape[:2], not small], "<u4").view(np.uint8)
        return np.concatenate([header, values.reshape(-1)])

    def _shrunk(self, image: Image.Image) -> Image.Image:
        width, height = image.size
        if self.stretched:
            image = self._resized(image, self.resized, self.resized)
        elif width <= height:
            image = self._resized(image, self.resized, int(self.resized * height / width))
        else:
            image = self._resized(image, int(self.resized * width / height), self.resized)
        return _middle(image, self.size)

    def _resized(self, image: Image.Image, width: int, height: int) -> Image.Image:
        number = next(number for number, name in FILTERS.items() if name == self.resample)
        return image if image.size == (width, height) else image.resize((width, height), number)

    # --- once a batch -----------------------------------------------------------------------------------------------
    def unpack(self, rows: Sequence[np.ndarray], blank: Sequence[float]) -> Tensor:
        """Packed rows as pixels (B, 3, size, size), float32 from 0 to 1. A row of length 0 has the colour `blank`."""
        pixels = torch.tensor(blank, dtype=torch.float32).view(1, -1, 1, 1).repeat(len(rows), 1, self.size, self.size)
        by_shape: dict[tuple[int, ...], list[int]] = {}
        for at, row in enumerate(rows):
            if len(row):
                by_shape.setdefault(tuple(row[:_HEADER].view("<u4").tolist()), []).append(at)
        for (height, width, final), places in by_shape.items():
            same = np.stack([rows[at][_HEADER:].reshape(height, width, 3) for at in places])
            values = torch.from_numpy(same).permute(0, 3, 1, 2).float() / 255
            pixels[places] = values if final else self._enlarged(values)
        return pixels

    def _enlarged(self, pixels: Tensor) -> Tensor:
        both = (self.resized, self.resized)
        if pixels.shape[-2:] != both:
            if self.resample == "nearest":
                pixels = functional.interpolate(pixels, both, mode="nearest-exact")
            else:
                mode = "bilinear" if self.resample == "bilinear" else "bicubic"
                pixels = functional.interpolate(pixels, both, mode=mode, align_corners=False).clamp(0, 1)
        edge = (self.resized - self.size) // 2
        return pixels[..., edge : edge + self.size, edge : edge + self.size]


def _middle(image: Image.Image, side: int) -> Image.Image:
    width, height = image.size
    if (width, height) == (side, side):
        return image
    left, top = (width - side) // 2, (height - side) // 2
    return image.crop((left, top, left + side, top + side))


def filter_of(number: int) -> Filter:
    """The filter of a preprocessor_config.json; those that torch lacks are taken for bilinear."""
    return FILTERS.get(int(number), "bilinear")
