"""Encoded images: decoded to upright RGB, and made from what a program holds in memory."""

from __future__ import annotations

import io
import re
import sys
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from graftwork.data.media import MediaError

if TYPE_CHECKING:
    from PIL import Image

MOST_PIXELS = 100_000_000
"""A larger image is refused by what its header says, before anything is decoded."""


def decode(encoded: bytes, least: int | None = None) -> Image.Image:
    """The image upright in 8-bit RGB: turned as EXIF says, transparency on white, 16-bit values scaled down.

    least: pixels that the shorter side is needed in; a JPEG of more than twice as many is decoded at a half, a quarter
    or an eighth of its size, which is several times as fast. Of an animation the first frame.
    Raises MediaError where it is no image, cut off, or of more than 100 megapixels.
    """
    return _read(encoded, None if least is None else (2 * least, 2 * least))


def verify(encoded: bytes) -> None:
    """Raise MediaError where `decode` would; quicker for large JPEGs, which are read at an eighth of the size."""
    _read(encoded, (1, 1))


def _read(encoded: bytes, draft: tuple[int, int] | None) -> Image.Image:
    from PIL import Image, UnidentifiedImageError

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of odd metadata, and of sizes that are judged here
        try:
            with Image.open(io.BytesIO(encoded)) as image:
                _check_size(image.width * image.height, f"{image.width:,} x {image.height:,} pixels")
                if draft:
                    image.draft(None, draft)
                image.load()
                return as_rgb(image)
        except MediaError:
            raise
        except UnidentifiedImageError:
            raise MediaError(f"no image that can be read ({len(encoded):,} bytes)") from None
        except Image.DecompressionBombError as error:
            found = re.search(r"\d+", str(error))
            _check_size(MOST_PIXELS + 1, f"{int(found[0]):,} pixels" if found else "very large")
            raise
        except MemoryError:
            raise MediaError("an image too large for the memory that is left") from None
        except Exception as error:  # each format's reader raises its own kinds for damaged content
            reason = " ".join(str(error).split()) or type(error).__name__
            raise MediaError(f"an image that is damaged or cut off ({reason})") from None


def _check_size(pixels: int, what: str) -> None:
    if pixels > MOST_PIXELS:
        raise MediaError(f"an image of {what}, more than {MOST_PIXELS // 10**6} megapixels; shrink it first")


def as_rgb(image: Image.Image) -> Image.Image:
    """A loaded image, whatever its mode, upright in 8-bit RGB."""
    from PIL import Image, ImageOps

    with suppress(Exception):  # damaged EXIF data say nothing about the pixels
        image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I") or image.mode == "F":
        return Image.fromarray(_eight_bit(np.asarray(image))).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB")


def _eight_bit(values: np.ndarray) -> np.ndarray:
    """Grey values of more than 8 bits as 8 bits. Floats count from 0 to 1, or to 255 where one is above 1."""
    if values.dtype.kind == "f":
        values = np.nan_to_num(values)
        scaled = values * 255 if values.max(initial=0.0) <= 1 else values
    else:
        scaled = values.astype(np.float64) / 257
    rounded: np.ndarray = np.clip(np.rint(scaled), 0, 255).astype(np.uint8)
    return rounded


def is_picture(value: Any) -> bool:
    """Whether a cell holds an image in memory: of Pillow, or an array of shape (H, W) or (H, W, channels)."""
    pillow = sys.modules.get("PIL.Image")
    if pillow is not None and isinstance(value, pillow.Image):
        return True
    return isinstance(value, np.ndarray) and value.ndim in (2, 3)


def encode(value: Any) -> bytes:
    """An image in memory as a PNG file.

    value: an image of Pillow, or an array (H, W) or (H, W, 1, 3 or 4) of whole numbers from 0 to 255, or of 16 bit.
    Raises MediaError for another shape, type or range.
    """
    from PIL import Image

    image = _from_array(value) if isinstance(value, np.ndarray) else as_rgb(value)
    assert isinstance(image, Image.Image)
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=1)
    return file.getvalue()


def _from_array(values: np.ndarray) -> Image.Image:
    from PIL import Image

    if values.ndim == 3 and values.shape[2] == 1:
        values = values[:, :, 0]
    if not (values.ndim == 2 or (values.ndim == 3 and values.shape[2] in (3, 4))) or not values.size:
        raise MediaError(
            f"an array of shape {values.shape}. Expected (height, width), or (height, width, channels) with 1, 3 or "
            "4 channels"
        )
    if values.dtype == bool:
        values = values.astype(np.uint8) * 255
    if values.dtype == np.uint16:
        values = _eight_bit(values)
    if values.dtype != np.uint8:
        raise MediaError(
            f"an array of {values.dtype}. Expected whole numbers from 0 to 255: (255 * x).astype('uint8') for values "
            "from 0 to 1"
        )
    return as_rgb(Image.fromarray(values))
