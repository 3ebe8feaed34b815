"""Which way up a picture is."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image


def upright(image: Image.Image) -> Image.Image:
    """A loaded image turned as its EXIF data say."""
    from PIL import ImageOps

    with suppress(Exception):  # damaged EXIF data say nothing about the pixels
        return ImageOps.exif_transpose(image)
    return image
