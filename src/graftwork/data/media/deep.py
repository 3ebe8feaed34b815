"""Pictures of more than 8 bits a colour: their values, one scale for all of a column, and 8 bits by that scale.

Where a camera's 12 bits stand in 16, or heights in metres in floats, no rule knows what is black and what is white;
the training rows do. Their lowest and highest values become 0 and 255, for every picture alike, so that brightness
keeps its meaning from row to row. A few values far out (dead pixels, marks for "no data") don't decide.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from graftwork.data.media.opening import MediaError
from graftwork.data.media.orientation import upright
from graftwork.data.media.raw_files import NUMPY

if TYPE_CHECKING:
    from PIL import Image

Scale = tuple[float, float]
"""The values that become 0 and 255."""
NO_DATA = (-9999.0, -99999.0, -32768.0, -32767.0, float(-(2**31)))
"""Numbers that stand for a missing value, where anything else is there; so do those beyond 1e30."""
_DEPTHS = (8, 10, 12, 14, 16, 24, 32)
_FAR = 4
"""Values decide the scale unless the range that they need is so many times that of all but two in a thousand."""
_ROOM = 0.25
_TAIL = 0.001
_SAMPLED = 65_536
_BLOCK = 1 << 18


class Range(NamedTuple):
    """What values one picture has: the lowest and highest, those between which nearly all lie, and whether all are
    whole numbers."""

    low: float
    near_low: float
    near_high: float
    high: float
    whole: bool


def may_be_deep(encoded: bytes) -> bool:
    """Whether a file may hold more than 8 bits a colour, by its first bytes; True where it has to be opened."""
    if encoded.startswith(b"\x89PNG"):
        return encoded[24:25] == b"\x10"
    return encoded.startswith((NUMPY, b"II", b"MM", b"P2", b"P3", b"P5", b"P6", b"Pf", b"\0\0\0\x0cjP", b"\xff\x4f"))


def measured(values: np.ndarray) -> Range:
    """The range of a picture's values (H, W) or (H, W, channels); a fourth channel, how opaque it is, is left out."""
    colours = values[..., :3] if values.ndim == 3 else values
    rows = max(1, _BLOCK // max(1, colours[0].size))
    lows, highs = [], []
    for start in range(0, len(colours), rows):
        kept = _real(colours[start : start + rows])
        if kept.size:
            lows.append(float(kept.min()))
            highs.append(float(kept.max()))
    if not lows:
        raise MediaError("an image without any value: all are missing or infinite")
    flat = colours.reshape(-1)
    some = _real(flat[:: max(1, flat.size // _SAMPLED)])
    near = np.quantile(some, [_TAIL, 1 - _TAIL]) if some.size else (min(lows), max(highs))
    return Range(min(lows), float(near[0]), float(near[1]), max(highs), values.dtype.kind in "iu")


def _real(values: np.ndarray) -> np.ndarray:
    """The values that mean something, as floats; all of them where none does but for marks of missing ones."""
    found = values.astype(np.float64).reshape(-1)
    if values.dtype.kind == "f":
        found = found[np.isfinite(found) & (np.abs(np.nan_to_num(found)) < 1e30)]
    if values.dtype.kind != "u" and found.size:
        kept = found[~np.isin(found, NO_DATA)]
        found = kept if kept.size else found
    return found


def scale_of(ranges: Sequence[Range]) -> Scale:
    """The one scale of all these pictures: what their files can hold where they use half of it or more (10, 12, 14 or
    16 bits, 0 to 1, -1 to 1), else from their lowest value to their highest."""
    low, high = min(each.low for each in ranges), max(each.high for each in ranges)
    near_low = float(np.quantile([each.near_low for each in ranges], 0.01))
    near_high = float(np.quantile([each.near_high for each in ranges], 0.99))
    usual = near_high - near_low
    if usual > 0 and high - low > _FAR * usual:
        low, high = max(low, near_low - _ROOM * usual), min(high, near_high + _ROOM * usual)
    usual_one = _usual_scale(low, high, all(each.whole for each in ranges))
    if usual_one and high - low >= (usual_one[1] - usual_one[0]) / 2:
        return usual_one
    return (low, high) if high > low else (low, low + 1)


def own_scale(found: Range) -> Scale:
    """The scale of one picture that no training rows speak for: what its kind of file can hold."""
    return _usual_scale(found.low, found.high, found.whole) or scale_of([found])


def _usual_scale(low: float, high: float, whole: bool) -> Scale | None:
    """The first usual one that these values fit in: of 8, 10, 12, 14, 16, … bits; 0 to 1, -1 to 1 or 0 to 255."""
    known = [(0.0, 2.0**bits - 1) for bits in _DEPTHS] if whole else [(0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)]
    return next(((bottom, top) for bottom, top in known if bottom <= low and high <= top), None)


def eight_bit(values: np.ndarray, scale: Scale) -> np.ndarray:
    """Values as 8 bits: those of the scale 0 and 255, the others in between in proportion; beyond it they are cut."""
    low, high = scale
    step = (high - low) / 255
    result = np.empty(values.shape, np.uint8)
    rows = max(1, _BLOCK // max(1, values[0].size))
    for start in range(0, len(values), rows):
        part = np.nan_to_num(values[start : start + rows].astype(np.float64), nan=low, posinf=high, neginf=low)
        result[start : start + rows] = np.clip(np.rint((part - low) / step), 0, 255)
    return result


def picture(values: np.ndarray, scale: Scale | None) -> Image.Image:
    """Values (H, W) or (H, W, 3 or 4) as 8-bit RGB; without a scale by their own. What is clear lies on white."""
    from PIL import Image

    colours = eight_bit(values[..., :3] if values.ndim == 3 else values, scale or own_scale(measured(values)))
    image = Image.fromarray(colours).convert("RGB")
    if values.ndim == 3 and values.shape[2] == 4:
        opaque = values[..., 3].astype(np.float64)
        most = float(np.iinfo(values.dtype).max) if values.dtype.kind in "iu" else max(1.0, float(np.nanmax(opaque)))
        mask = Image.fromarray(eight_bit(opaque, (0.0, most)))
        image = Image.composite(image, Image.new("RGB", image.size, (255, 255, 255)), mask)
    return image


def is_deep(image: Image.Image) -> bool:
    """Whether a picture that Pillow has opened, and not decoded, has more than 8 bits a colour."""
    return image.mode.startswith("I") or image.mode == "F" or bool(_both_bytes(image))


def values_of(image: Image.Image, again: Image.Image) -> np.ndarray:
    """The values of a deep picture (H, W) or (H, W, 3 or 4).

    image, again: the same file opened twice. Pillow keeps 8 bits of several colours, so that the upper and the lower
    ones are read one after the other.
    """
    rawmode = _both_bytes(image)
    if not rawmode:
        image.load()
        return _unsigned(image, np.asarray(upright(image)))
    if rawmode.startswith("LA"):  # both bytes of both as four channels
        _read_as(image, "RGBA")
        four = np.asarray(upright(image)).astype(np.uint16)
        grey, opaque = four[..., 0] * 256 + four[..., 1], four[..., 2] * 256 + four[..., 3]
        return np.stack([grey, grey, grey, opaque], axis=2)
    _read_as(again, rawmode[:-1] + {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}[rawmode[-1]])
    image.load()
    upper, lower = (np.asarray(upright(each)).astype(np.uint16) for each in (image, again))
    joined: np.ndarray = upper * 256 + lower
    return joined


def _both_bytes(image: Image.Image) -> str:
    """How the file keeps 16 bits of several colours; "" where it does not."""
    tiles = getattr(image, "tile", None) or [None]
    args = getattr(tiles[0], "args", None)
    rawmode = args if isinstance(args, str) else args[0] if isinstance(args, tuple | list) and args else ""
    found = isinstance(rawmode, str) and re.fullmatch(r"(RGB|RGBA|LA|RGBX);16[BLN]", rawmode)
    return str(rawmode) if found else ""


def _read_as(image: Image.Image, rawmode: str) -> None:
    tiles = [
        tile._replace(args=rawmode if isinstance(tile.args, str) else (rawmode, *tile.args[1:]))
        for tile in image.tile  # type: ignore[attr-defined]
    ]
    image.tile = tiles  # type: ignore[attr-defined]
    image.load()


def _unsigned(image: Image.Image, values: np.ndarray) -> np.ndarray:
    """32 bits that a TIFF says have no sign; Pillow gives them one."""
    formats = getattr(image, "tag_v2", {}).get(339, (1,))
    bits = getattr(image, "tag_v2", {}).get(258, (8,))
    return values.view(np.uint32) if values.dtype == np.int32 and bits == (32,) and formats == (1,) else values
