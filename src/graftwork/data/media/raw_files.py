"""Files that are values behind a short header: arrays as numpy writes them, and portable maps (PGM, PPM)."""

from __future__ import annotations

import io
import re
from typing import NamedTuple

import numpy as np

from graftwork.data.media.opening import MediaError

NUMPY = b"\x93NUMPY"
"""How an array in memory is kept in a cell where no usual file holds it: as numpy writes it."""
MOST_PLAIN = 1 << 24
"""Bytes of a portable map written in decimal digits: reading those takes long."""
_PORTABLE = re.compile(rb"P([56])\s+(?:#[^\n]*\n\s*)*(\d{1,9})\s+(?:#[^\n]*\n\s*)*(\d{1,9})\s+(\d{1,5})\s")


class Portable(NamedTuple):
    """The header of a portable map. most: the value that is white. start: where the values begin."""

    width: int
    height: int
    channels: int
    most: int
    start: int


def portable(encoded: bytes) -> Portable | None:
    """The header of a binary portable map whose white is not 255, which Pillow reads value by value; None for others.

    Raises MediaError for a large one in decimal digits.
    """
    if encoded[:2] in (b"P1", b"P2", b"P3") and len(encoded) > MOST_PLAIN:
        raise MediaError(f"a portable map in digits of more than {MOST_PLAIN:,} bytes; save it as .png")
    found = _PORTABLE.match(encoded[:4096])
    if not found or int(found[4]) == 255 or not 0 < int(found[4]) < 65_536:
        return None
    return Portable(int(found[2]), int(found[3]), 1 if found[1] == b"5" else 3, int(found[4]), found.end())


def portable_values(encoded: bytes, header: Portable) -> np.ndarray:
    """The values (H, W) or (H, W, 3): as they are where they need 16 bits, else with 255 as white."""
    width, height, channels, most, start = header
    kind = np.dtype(">u2" if most > 255 else "u1")
    count = width * height * channels
    if len(encoded) - start < count * kind.itemsize:
        raise MediaError("an image that is damaged or cut off")
    values = np.frombuffer(encoded, kind, count, start).reshape((height, width, channels)[: 2 if channels == 1 else 3])
    if most > 255:
        return values.astype(np.uint16)
    table = np.minimum(255, np.rint(np.arange(256) / most * 255)).astype(np.uint8)
    scaled: np.ndarray = table[values]
    return scaled


def kept(values: np.ndarray) -> bytes:
    """An array as the bytes of a cell."""
    file = io.BytesIO()
    np.save(file, values, allow_pickle=False)
    return file.getvalue()


def shape_kept(encoded: bytes) -> tuple[int, ...]:
    """The shape of an array that was kept so, from its header alone; MediaError where it is no picture's."""
    file = io.BytesIO(encoded[:10_240])
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, kind = read(file)
    except Exception as error:  # the header is a Python literal, and may be anything
        raise MediaError(f"an array that is damaged ({' '.join(str(error).split())[:80]})") from None
    fits = len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3, 4))
    if not fits or kind.kind not in "uif" or not all(shape):
        raise MediaError(f"an array of shape {shape} and type {kind}, which is no picture")
    return tuple(shape)


def array_of(encoded: bytes) -> np.ndarray:
    """The array that was kept."""
    values: np.ndarray = np.load(io.BytesIO(encoded), allow_pickle=False)
    return values[:, :, 0] if values.ndim == 3 and values.shape[2] == 1 else values
