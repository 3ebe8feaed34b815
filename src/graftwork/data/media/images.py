"""Encoded images: decoded to upright RGB, and made from what a program holds in memory."""

from __future__ import annotations

import io
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from graftwork.data.media import deep, raw_files
from graftwork.data.media.deep import Range, Scale
from graftwork.data.media.marks import foreign
from graftwork.data.media.opening import MediaError, UnknownFormat, formats
from graftwork.data.media.orientation import upright
from graftwork.data.media.paths import refusal

if TYPE_CHECKING:
    from PIL import Image

MOST_PIXELS = 100_000_000
"""A larger image is refused by what its header says, before anything is decoded."""
MOST_SIDE = 65_535
"""Pixels of a side at most: memory is needed for each line of an image, however short."""
MOST_SCANS = 100
"""Passes over a JPEG at most: each costs as much as a whole image, and real ones have about ten."""


def decode(encoded: bytes, least: int | None = None, scale: Scale | None = None) -> Image.Image:
    """The image upright in 8-bit RGB: turned as EXIF says, transparency on white.

    least: pixels that the shorter side is needed in; a JPEG of more than twice as many is decoded at a half, a quarter
    or an eighth of its size, which is several times as fast. Of an animation the first frame.
    scale: which values become black and white in images of more than 8 bits a colour; None for each image's own.
    Raises MediaError where it is no image, cut off, or too large.
    """
    found = _read(encoded, None if least is None else (2 * least, 2 * least))
    return deep.picture(found, scale) if isinstance(found, np.ndarray) else found


def examine(encoded: bytes) -> Range | bool:
    """Raise MediaError where `decode` would; quicker for large JPEGs, which are read at an eighth of the size.

    Gives the range of values of an image of more than 8 bits a colour; of an ordinary one whether all of it has one
    colour.
    """
    _check_passes(encoded)
    found = _read(encoded, (1, 1))
    if isinstance(found, np.ndarray):
        return deep.measured(found)
    return _is_plain(found) and _is_plain(decode(encoded))  # an eighth of the size may hide a line


def _is_plain(image: Image.Image) -> bool:
    lowest_and_highest: Any = image.getextrema()  # of each colour
    return all(low == high for low, high in lowest_and_highest)


def plain(encoded: bytes, scale: Scale) -> bytes:
    """An encoded image of 8 bits a colour: the same one, unless it has more; then by this scale."""
    if not deep.may_be_deep(encoded):
        return encoded
    found = _read(encoded, (1, 1))
    if not isinstance(found, np.ndarray):
        return encoded
    file = io.BytesIO()
    deep.picture(found, scale).save(file, "PPM")
    return file.getvalue()


def _read(encoded: bytes, draft: tuple[int, int] | None) -> Image.Image | np.ndarray:
    """An ordinary image in RGB, or the values of one with more than 8 bits a colour."""
    from PIL import Image

    with _explained(encoded):
        if encoded.startswith(raw_files.NUMPY):
            height, width = raw_files.shape_kept(encoded)[:2]
            _check_size(width, height)
            return raw_files.array_of(encoded)
        portable = raw_files.portable(encoded)
        if portable:
            _check_size(portable.width, portable.height)
            values = raw_files.portable_values(encoded, portable)
            return values if portable.most > 255 else Image.fromarray(values).convert("RGB")
        _check_start(encoded)
        with Image.open(io.BytesIO(encoded), formats=formats()) as image:
            _check_size(image.width, image.height)
            if deep.is_deep(image):
                with Image.open(io.BytesIO(encoded), formats=formats()) as again:
                    return deep.values_of(image, again)
            if image.info.get("progressive"):  # others have one pass; counting would cost a twentieth of decoding
                _check_passes(encoded)
            if draft:
                image.draft(None, draft)
            image.load()
            return as_rgb(image)


@contextmanager
def _explained(encoded: bytes) -> Iterator[None]:
    """Whatever a format's reader raises for damaged content, as a reason."""
    from PIL import Image, UnidentifiedImageError

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of odd metadata, and of sizes that are judged here
        try:
            yield
        except MediaError:
            raise
        except UnidentifiedImageError:
            ending = foreign(encoded[:64])
            told = f"what it holds is a {ending} file; {refusal(f'_{ending}')}" if ending else None
            raise UnknownFormat(told or f"no image that can be read ({len(encoded):,} bytes)") from None
        except Image.DecompressionBombError as error:
            found = re.search(r"\d+", str(error))
            raise _too_large(f"{int(found[0]):,} pixels" if found else "very many pixels") from None
        except MemoryError:
            raise MediaError("an image too large for the memory that is left") from None
        except Exception as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise MediaError(f"an image that is damaged or cut off ({reason})") from None


def _check_start(encoded: bytes) -> None:
    """What opening would already cost: a WebP's canvas is made then."""
    if encoded[:4] == b"RIFF" and encoded[12:16] == b"VP8X" and len(encoded) >= 30:
        _check_size(*(1 + int.from_bytes(encoded[at : at + 3], "little") for at in (24, 27)))


def _check_passes(encoded: bytes) -> None:
    scans = encoded.count(b"\xff\xda") if encoded.startswith(b"\xff\xd8") else 0
    if scans > MOST_SCANS:
        raise MediaError(f"a JPEG of {scans:,} passes, more than {MOST_SCANS}")


def _check_size(width: int, height: int) -> None:
    if not width * height:
        raise MediaError(f"an image of {width:,} x {height:,} pixels")
    if width * height > MOST_PIXELS:
        raise _too_large(f"{width:,} x {height:,} pixels")
    if max(width, height) > MOST_SIDE:
        raise MediaError(f"an image of {width:,} x {height:,} pixels, more than {MOST_SIDE:,} a side; cut it first")


def _too_large(what: str) -> MediaError:
    return MediaError(f"an image of {what}, more than {MOST_PIXELS // 10**6} megapixels; shrink it first")


def as_rgb(image: Image.Image) -> Image.Image:
    """A loaded image of 8 bits a colour, whatever its mode, upright in RGB."""
    from PIL import Image

    image = upright(image)
    if image.mode == "LAB":
        return _from_lab(image)
    if image.mode in ("La", "RGBa"):  # colours that are dimmed already where they are clear
        image = image.convert("LA" if image.mode == "La" else "RGBA")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB")


def _from_lab(image: Image.Image) -> Image.Image:
    from PIL import ImageCms

    made = ImageCms.profileToProfile(
        image, ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), outputMode="RGB"
    )
    assert made is not None
    return made


def is_picture(value: Any) -> bool:
    """Whether a cell holds an image in memory: of Pillow, or an array of shape (H, W) or (H, W, channels)."""
    pillow = sys.modules.get("PIL.Image")
    if pillow is not None and isinstance(value, pillow.Image):
        return True
    return isinstance(value, np.ndarray) and value.ndim in (2, 3)


def encode(value: Any) -> bytes:
    """An image in memory as the bytes of a file: a PNG, or an array as numpy writes it for more than 8 bits a colour.

    value: an image of Pillow, or an array (H, W) or (H, W, 1, 3 or 4) of numbers: 8 bits count from 0 to 255, others
    by the scale of their column.
    Raises MediaError for another shape or type.
    """
    if not isinstance(value, np.ndarray):
        if value.mode.startswith("I") or value.mode == "F":
            return raw_files.kept(np.asarray(upright(value)))
        return _as_png(as_rgb(value))
    values = value[:, :, 0] if value.ndim == 3 and value.shape[2] == 1 else value
    if not (values.ndim == 2 or (values.ndim == 3 and values.shape[2] in (3, 4))) or not values.size:
        first = values.ndim == 3 and values.shape[0] in (1, 3, 4)
        raise MediaError(
            f"an array of shape {values.shape}. Expected (height, width), or (height, width, channels) with 1, 3 or "
            f"4 channels{'; channels come last: np.moveaxis(array, 0, -1)' if first else ''}"
        )
    if values.dtype.kind not in "buif":
        raise MediaError(f"an array of {values.dtype}. Expected numbers")
    if values.dtype == bool:
        values = values.astype(np.uint8) * 255
    if values.dtype != np.uint8:
        deep.measured(values)  # an array without any value is refused
        with np.errstate(over="ignore"):  # what float32 can't hold is no value of a picture
            return raw_files.kept(values.astype(np.float32) if values.dtype == np.float64 else values)
    from PIL import Image

    return _as_png(as_rgb(Image.fromarray(values)))


def _as_png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=1)
    return file.getvalue()
