"""The weights in a model.bin of CTranslate2 (OpenNMT), read as data: arrays by name."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from math import prod
from pathlib import Path

import numpy as np

from graftwork.bases.layout import changed

VERSION = 6
_TYPES = (np.float32, np.int8, np.int16, np.int32, np.float16)
"""By their numbers in the file."""


def read(parts: Iterable[Path], spec: str) -> Mapping[str, np.ndarray]:
    """The arrays of a file that lies in parts, which are joined in this order; views of what was read.

    spec: the kind of model that it says it is. Raises ModelError where the layout is another one.
    """
    files = list(parts)
    return _File(b"".join(file.read_bytes() for file in files), files[0].name).arrays(spec)


class _File:
    def __init__(self, held: bytes, name: str) -> None:
        self.held, self.name, self.at = held, name, 0

    def arrays(self, spec: str) -> dict[str, np.ndarray]:
        self.expect(f"version {VERSION}", f"version {self.number('I')}")
        self.expect(spec, self.text())
        self.number("I")  # the revision of the kind, which changes what the names say but not how they are written
        found = {}
        for _ in range(self.number("I")):
            name = self.text()
            found[name] = self.array()
        for _ in range(self.number("I")):  # tied weights, by two names each
            self.text(), self.text()
        self.expect(f"{self.at} bytes", f"{len(self.held)} bytes")
        return found

    def array(self) -> np.ndarray:
        shape = [self.number("I") for _ in range(self.number("B"))]
        kind, size = self.number("B"), self.number("I")
        if kind >= len(_TYPES):
            raise changed(self.name, f"a type below {len(_TYPES)}", kind)
        self.expect(f"{prod(shape) * np.dtype(_TYPES[kind]).itemsize} bytes of an array", f"{size} bytes of an array")
        return np.frombuffer(self.take(size), _TYPES[kind]).reshape(shape)

    def number(self, form: str) -> int:
        found: int = struct.unpack("<" + form, self.take(struct.calcsize("<" + form)))[0]
        return found

    def text(self) -> str:
        """Its length, 0 at the end included, and its letters."""
        try:
            return bytes(self.take(self.number("H"))).rstrip(b"\0").decode("ascii")
        except UnicodeDecodeError:
            raise changed(self.name, "a name in letters", "other bytes") from None

    def take(self, size: int) -> memoryview:
        if size > len(self.held) - self.at:
            raise changed(self.name, f"{size} more bytes", f"{len(self.held) - self.at}, then its end")
        self.at += size
        return memoryview(self.held)[self.at - size : self.at]

    def expect(self, expected: str, found: str) -> None:
        if expected != found:
            raise changed(self.name, expected, found)
