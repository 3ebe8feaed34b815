"""graftwork.data.media.images: every kind of image becomes upright RGB; what is none, cut off or huge is said."""

from __future__ import annotations

import time

import numpy as np
import pytest
from PIL import Image

from graftwork.data.media.images import decode, encode, examine, is_picture
from graftwork.data.media.media import MediaError
from pictures import encoded, picture, png_header


def test_exif_turns_the_image() -> None:
    image = picture(width=60, height=30)
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = decode(encoded(image, exif=exif.tobytes()))
    assert turned.size == (30, 60)
    assert np.array_equal(np.asarray(turned), np.rot90(np.asarray(image), -1))


def test_transparency_lies_on_white() -> None:
    for mode, clear, solid in (("RGBA", (9, 9, 9, 0), (9, 8, 7, 255)), ("LA", (9, 0), (9, 255))):
        image = Image.new(mode, (2, 1), clear)
        image.putpixel((1, 0), solid)
        pixels = np.asarray(decode(encoded(image)))
        assert pixels[0, 0].tolist() == [255] * 3
        assert pixels[0, 1].tolist() == list(solid[:3] if mode == "RGBA" else [9] * 3)
    palette = Image.new("P", (2, 1), 0)
    palette.putpalette([10, 20, 30, 200, 100, 50])
    palette.putpixel((1, 0), 1)
    assert np.asarray(decode(encoded(palette, transparency=0)))[0].tolist() == [[255] * 3, [200, 100, 50]]


def test_sixteen_bits_are_scaled_not_cut() -> None:
    values = np.array([[0, 257 * 100, 65535]], np.uint16)
    assert np.asarray(decode(encoded(Image.fromarray(values))))[0, :, 0].tolist() == [0, 100, 255]
    assert np.asarray(decode(encode(values)))[0, :, 2].tolist() == [0, 100, 255]


def test_cmyk_grey_and_one_bit() -> None:
    cmyk = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    red = np.asarray(decode(encoded(cmyk, "TIFF")))[0, 0]
    assert red[0] > 200
    assert red[1:].max() < 60
    for image in (Image.new("L", (3, 2), 77), Image.new("1", (3, 2), 1)):
        found = decode(encoded(image))
        assert found.mode == "RGB"
        assert found.size == (3, 2)


@pytest.mark.parametrize("reader", [decode, examine])
def test_what_is_no_image_or_cut_off_is_said(reader) -> None:
    whole = encoded(picture(width=200, height=200), "JPEG")
    reader(whole)
    with pytest.raises(MediaError, match="damaged or cut off"):
        reader(whole[: len(whole) // 2])
    with pytest.raises(MediaError, match=r"no image that can be read \(9 bytes\)"):
        reader(b"no image!")


def test_a_huge_image_is_refused_by_its_header() -> None:
    began = time.perf_counter()
    with pytest.raises(MediaError, match=r"(50,000 x 50,000|2,500,000,000) pixels, more than 100 megapixels"):
        decode(png_header(50_000, 50_000))
    with pytest.raises(MediaError, match=r"11,000 x 11,000 pixels"):
        examine(png_header(11_000, 11_000))
    assert time.perf_counter() - began < 1


def test_a_large_jpeg_is_decoded_smaller_but_never_too_small() -> None:
    photo = encoded(picture(width=800, height=640), "JPEG", quality=95)
    smaller = decode(photo, 64)
    assert smaller.size == (200, 160)
    whole = decode(photo).resize(smaller.size, Image.Resampling.BOX)
    assert np.abs(np.asarray(whole, int) - np.asarray(smaller, int)).mean() < 2
    assert decode(photo, 500).size == (800, 640)


def test_arrays_and_images_in_memory_become_files() -> None:
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4)
    for value in (grey, grey[:, :, None], np.stack([grey] * 3, 2), Image.fromarray(grey)):
        assert is_picture(value)
        assert np.array_equal(np.asarray(decode(encode(value)))[:, :, 1], grey)
    assert not is_picture(np.zeros(3))
    assert not is_picture("photo.jpg")
    with pytest.raises(MediaError, match=r"array of complex128. Expected numbers"):
        encode(np.zeros((2, 2), complex))
    with pytest.raises(MediaError, match=r"channels come last: np\.moveaxis"):
        encode(np.zeros((3, 8, 8), np.uint8))
    assert decode(encode(np.array([[0.0, 1e300, 0.5, 1.0]]))).size == (4, 1)
    with pytest.raises(MediaError, match="an image without any value"):
        encode(np.full((2, 2), np.nan))
    with pytest.raises(MediaError, match=r"shape \(2, 2, 5\)"):
        encode(np.zeros((2, 2, 5), np.uint8))
