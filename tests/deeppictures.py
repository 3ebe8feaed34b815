"""Pictures of more than 8 bits a colour for tests, written by hand where Pillow can't."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image


def png16(values: np.ndarray) -> bytes:
    """A PNG of 16 bits: (H, W), or (H, W, 2, 3 or 4)."""
    height, width = values.shape[:2]
    channels = values.shape[2] if values.ndim == 3 else 1
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    lines = b"".join(b"\0" + line.astype(">u2").tobytes() for line in values.reshape(height, -1))
    head = struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


def chunk(name: bytes, held: bytes) -> bytes:
    return struct.pack(">I", len(held)) + name + held + struct.pack(">I", zlib.crc32(name + held))


def tiff(values: np.ndarray) -> bytes:
    """A TIFF of one channel, int32 or float32."""
    file = io.BytesIO()
    Image.fromarray(values).save(file, "TIFF")
    return file.getvalue()


def sides(rows: int, seed: int = 0) -> tuple[list[np.ndarray], list[str]]:
    """Noisy grey pictures (24, 24) of values from 0 to 1, brighter on one side: left or right."""
    rng = np.random.default_rng(seed)
    pictures, names = [], []
    for at in range(rows):
        values = rng.uniform(0.0, 0.5, (24, 24))
        half = slice(0, 12) if at % 2 else slice(12, 24)
        values[:, half] += 0.4
        pictures.append(values)
        names.append("left" if at % 2 else "right")
    return pictures, names


def write_sides(folder: Path, make, ending: str, rows: int = 60, seed: int = 0) -> Path:
    """A folder of two classes; `make` turns values from 0 to 1 into the bytes of a file."""
    for at, (values, name) in enumerate(zip(*sides(rows, seed), strict=True)):
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / f"{at}.{ending}").write_bytes(make(values))
    return folder
