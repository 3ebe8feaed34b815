"""graftwork.data.media.raw_files: portable maps of any white give what Pillow gives, quickly."""

from __future__ import annotations

import io
import time

import numpy as np
import pytest
from PIL import Image

from graftwork.data.media.images import decode, examine
from graftwork.data.media.media import MediaError
from graftwork.data.media.raw_files import portable

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("most", [1, 3, 15, 100, 254, 255])
def test_other_whites_are_what_pillow_makes_of_them(channels: int, most: int) -> None:
    values = RNG.integers(0, most + 1, (5, 7, channels)).astype(np.uint8)
    file = f"P{5 if channels == 1 else 6} 7\n# a remark\n5 {most}\n".encode() + values.tobytes()
    assert (portable(file) is None) == (most == 255)
    with Image.open(io.BytesIO(file)) as image:
        assert np.array_equal(np.asarray(decode(file)), np.asarray(image.convert("RGB")))
    assert examine(file) is False


@pytest.mark.parametrize("most", [256, 1023, 4095, 65_535])
def test_deep_ones_are_read_as_they_are(most: int) -> None:
    values = RNG.integers(0, most + 1, (5, 7)).astype(">u2")
    values[0, 0], values[0, 1] = 0, most
    file = f"P5 7 5 {most}\n".encode() + values.tobytes()
    found = examine(file)
    assert found is not None
    assert (found.low, found.high, found.whole) == (0, most, True)


def test_large_ones_are_quick() -> None:
    values = RNG.integers(0, 100, (2000, 2000, 3)).astype(np.uint8)
    began = time.process_time()
    decode(b"P6 2000 2000 99\n" + values.tobytes())
    assert time.process_time() - began < 1
    with pytest.raises(MediaError, match="in digits of more than"):
        decode(b"P3 3000 3000 255\n" + b"1 " * (9 << 20))


@pytest.mark.parametrize("head", [b"P6 7 5 0\n", b"P6 7 5 70000\n", b"P6 7 x 9\n", b"P5 7 5 9\n", b"P6 0 5 9\n"])
def test_broken_headers(head: bytes) -> None:
    with pytest.raises(MediaError):
        decode(head + b"123")
