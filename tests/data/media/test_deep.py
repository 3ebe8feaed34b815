"""graftwork.data.media.deep and scales: no picture loses what it shows because it has more than 8 bits a colour."""

from __future__ import annotations

import io
import json
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from command import graft
from deeppictures import png16, sides, tiff, write_sides
from graftwork.data.load import load, load_like
from graftwork.data.media import deep, raw_files
from graftwork.data.media.deep import Range, eight_bit, measured, scale_of
from graftwork.data.media.images import decode, encode, examine, plain
from graftwork.data.media.media import MediaError
from graftwork.data.media.opening import formats
from pictures import encoded

RNG = np.random.default_rng(0)


def ranged(low: float, high: float, whole: bool = True) -> Range:
    return Range(low, low, high, high, whole)


@pytest.mark.parametrize(
    ("ranges", "scale"),
    [
        ([ranged(3, 3900)], (0, 4095)),  # 12 bits in a file of 16
        ([ranged(3, 229)], (0, 255)),  # 8 bits in a file of 32
        ([ranged(3, 1000)], (0, 1023)),
        ([ranged(83, 58_959)], (0, 65_535)),
        ([ranged(0, 90), ranged(10, 60_000)], (0, 65_535)),
        ([ranged(30_000, 31_000)], (30_000, 31_000)),
        ([ranged(-1000, 3000)], (-1000, 3000)),
        ([ranged(0.1, 0.9, False)], (0, 1)),
        ([ranged(-0.9, 0.8, False)], (-1, 1)),
        ([ranged(2.0, 254.0, False)], (0, 255)),
        ([ranged(101.5, 130.25, False)], (101.5, 130.25)),
        ([ranged(7, 7)], (7, 8)),
        ([Range(0, 100, 3000, 65_535, True)], (0, 4095)),  # a dead pixel
    ],
)
def test_scales(ranges: list[Range], scale: tuple[float, float]) -> None:
    assert scale_of(ranges) == pytest.approx(scale)


@given(st.integers(0, 2**16 - 2), st.integers(1, 2**16 - 1), st.integers(0, 1000))
def test_order_and_levels_survive_any_range(low: int, width: int, seed: int) -> None:
    values = np.random.default_rng(seed).integers(low, low + width + 1, (8, 8)).astype(np.int64)
    values[0, 0], values[0, 1] = low, low + width
    made = eight_bit(values, scale_of([measured(values)]))
    order = np.argsort(values.reshape(-1), kind="stable")
    assert (np.diff(made.reshape(-1)[order].astype(int)) >= 0).all()
    assert int(made.max()) - int(made.min()) >= min(width, 127)


def test_the_whole_of_sixteen_bits_is_what_it_was() -> None:
    values = np.arange(65_536, dtype=np.uint16).reshape(256, 256)
    assert np.array_equal(eight_bit(values, (0.0, 65_535.0)), np.rint(values / 257).astype(np.uint8))


def test_marks_of_missing_values_don_t_decide() -> None:
    heights = RNG.uniform(100, 300, (40, 40)).astype(np.float32)
    heights[:4] = -9999
    heights[4, :5] = np.nan
    heights[5, :5] = np.inf
    heights[6, :5] = 3.4e38
    found = measured(heights)
    assert 100 <= found.low <= found.high <= 300
    assert not found.whole
    made = eight_bit(heights, scale_of([found]))
    assert made[:4].max() == 0
    assert len(np.unique(made[7:])) > 200
    assert measured(np.full((2, 2), -9999.0)).low == -9999
    with pytest.raises(MediaError, match="without any value"):
        measured(np.full((2, 2), np.nan))


def test_all_sixteen_bits_of_several_colours_are_read() -> None:
    for channels in (3, 4):
        values = RNG.integers(0, 4096, (5, 7, channels)).astype(np.uint16)
        values[..., 3:] = 65_535
        file = png16(values)
        assert deep.may_be_deep(file)
        picture = np.asarray(decode(file, scale=(0.0, 4095.0)))
        assert np.array_equal(picture, eight_bit(values[..., :3], (0.0, 4095.0)))
    grey = RNG.integers(0, 4096, (5, 7, 2)).astype(np.uint16)
    grey[..., 1] = np.where(np.arange(7) < 3, 0, 65_535)
    picture = np.asarray(decode(png16(grey), scale=(0.0, 4095.0)))
    assert (picture[:, :3] == 255).all()
    assert np.array_equal(picture[:, 3:, 0], eight_bit(grey[:, 3:, 0], (0.0, 4095.0)))
    colours = RNG.integers(0, 4096, (5, 7, 3)).astype(np.uint16)
    portable = b"P6\n# made by hand\n7 5\n65535\n" + colours.astype(">u2").tobytes()
    assert np.array_equal(np.asarray(decode(portable, scale=(0.0, 4095.0))), eight_bit(colours, (0.0, 4095.0)))
    with pytest.raises(MediaError, match="cut off"):
        decode(portable[:-1])


def test_turned_as_exif_says() -> None:
    values = RNG.integers(0, 65_536, (4, 6)).astype(np.uint16)
    exif = Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    Image.fromarray(values).save(file, "PNG", exif=exif)
    turned = np.asarray(decode(file.getvalue(), scale=(0.0, 65_535.0)))[:, :, 0]
    assert np.array_equal(turned, np.rot90(eight_bit(values, (0.0, 65_535.0)), -1))


def test_ordinary_files_are_left_as_they_are() -> None:
    grey = Image.fromarray(RNG.integers(0, 256, (5, 7)).astype(np.uint8))
    for form in ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM"):
        file = encoded(grey, form)
        assert examine(file) is False
        assert plain(file, (0.0, 4095.0)) is file
    for bits in (1, 2, 4):
        few = Image.fromarray((np.arange(16).reshape(4, 4) % 2**bits).astype(np.uint8)).convert("P")
        file = io.BytesIO()
        few.putpalette([round(at * 255 / (2**bits - 1)) for at in range(2**bits) for _ in range(3)])
        few.save(file, "PNG", bits=bits)
        assert np.asarray(decode(file.getvalue())).max() == 255


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "PA", "RGBA", "RGBa", "La", "CMYK", "YCbCr", "LAB", "HSV"])
def test_every_mode_becomes_rgb(mode: str) -> None:
    from graftwork.data.media.images import as_rgb

    colour = Image.new("RGB", (4, 3), (200, 30, 40))
    if mode == "LAB":
        from PIL import ImageCms

        colour = ImageCms.profileToProfile(
            colour, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
        )
    elif mode in ("RGBa", "La", "PA"):
        colour = colour.convert({"RGBa": "RGBA", "La": "LA", "PA": "P"}[mode]).convert(mode)
    else:
        colour = colour.convert(mode)
    assert colour.mode == mode
    found = np.asarray(as_rgb(colour)).astype(int)[1, 1]
    if mode in ("RGBA", "RGBa", "CMYK", "YCbCr", "LAB", "HSV", "P", "PA"):
        assert np.abs(found - [200, 30, 40]).max() <= 40
    else:
        assert len(set(found)) == 1
    if mode == "LAB":
        assert np.abs(np.asarray(decode(encoded(colour, "TIFF"))).astype(int)[1, 1] - [200, 30, 40]).max() <= 4


MAKERS = {
    "eight": (lambda v: encoded(Image.fromarray((v * 255).astype(np.uint8))), "png"),
    "twelve": (lambda v: png16((v * 4095).astype(np.uint16)), "png"),
    "full": (lambda v: png16((v * 65_535).astype(np.uint16)), "png"),
    "whole32": (lambda v: tiff((v * 255).astype(np.int32)), "tif"),
    "millions": (lambda v: tiff((v * 9e6 - 3e6).astype(np.int32)), "tif"),
    "unit": (lambda v: tiff(v.astype(np.float32)), "tif"),
    "below": (lambda v: tiff((v - 1).astype(np.float32)), "tif"),
    "metres": (lambda v: tiff((1500 + 40 * v).astype(np.float32)), "tif"),
    "colour": (lambda v: png16(np.repeat((v * 4095).astype(np.uint16)[:, :, None], 3, 2)), "png"),
}


@pytest.mark.parametrize("name", [name for name in MAKERS if name != "eight"])
def test_a_network_sees_what_it_sees_of_eight_bits(tmp_path: Path, name: str) -> None:
    seen = {}
    for each in ("eight", name):
        folder = write_sides(tmp_path / each, *MAKERS[each], rows=12)
        loaded = load(folder)
        column = loaded.table.schema.inputs[0]
        assert (column.scale is None) == (each == "eight")
        assert any("black to white in all of them" in note for note in loaded.notes) == (each != "eight")
        files = [(folder / path).read_bytes() for path in loaded.table.values("image")]
        seen[each] = np.stack([np.asarray(decode(file, scale=column.scale)) for file in files]).astype(float)
    a, b = (values / (values.max() - values.min()) for values in seen.values())
    assert np.corrcoef(a.reshape(-1), b.reshape(-1))[0, 1] > 0.999
    assert len(np.unique(seen[name])) > 200


@pytest.mark.parametrize("name", ["twelve", "below"])
def test_deep_pictures_are_learned_and_predicted_from_a_saved_model(tmp_path: Path, name: str) -> None:
    folder = write_sides(tmp_path / "train", *MAKERS[name], rows=48)
    later = write_sides(tmp_path / "test", *MAKERS[name], rows=20, seed=1)
    base = ("--base", "small-cnn:width=8,size=16", "--with", "none", "--set", "epochs=16", "--set", "precision=fp32")
    fitted = graft("fit", folder, *base, "--out", tmp_path / "run").works()
    assert "image: 48 images have more than 8 bits a colour" in fitted.out + fitted.err
    scores = json.loads(graft("evaluate", tmp_path / "run", later, "--json").works().out)
    assert scores["accuracy"]["value"] >= 0.95
    graft("predict", tmp_path / "run", later, "--out", tmp_path / "out.csv").works()
    rows = (tmp_path / "out.csv").read_text().splitlines()
    assert len(rows) == 21


def test_later_pictures_beyond_the_scale_are_said(tmp_path: Path) -> None:
    twelve = load(write_sides(tmp_path / "twelve", *MAKERS["twelve"], rows=8)).table.schema
    full = write_sides(tmp_path / "full", *MAKERS["full"], rows=8)
    assert "8 of 8 images hold values beyond 0 to 4,095" in load_like(full, twelve, with_target=True).notes[0]
    eight = load(write_sides(tmp_path / "eight", *MAKERS["eight"], rows=8)).table.schema
    assert "each is scaled by its own values" in load_like(full, eight, with_target=True).notes[0]


def test_a_picture_that_no_training_rows_speak_for_keeps_its_brightness() -> None:
    dark = np.full((4, 4), 0.1, np.float32)
    dark[0, 0] = 0.2
    assert np.asarray(decode(encode(dark)))[1, 1, 0] == round(0.1 * 255)
    assert np.asarray(decode(encode(dark * 255)))[1, 1, 0] == round(0.1 * 255)
    assert np.asarray(decode(encode(dark - 0.5)))[1, 1, 0] == round(0.6 / 2 * 255)
    assert np.asarray(decode(encode(np.array([[0, 2048, 4000]], np.uint16))))[0, 1, 0] == 128
    assert np.asarray(decode(encode(np.array([[-50, 0, 50]], np.int16))))[0, :, 0].tolist() == [0, 128, 255]


def test_arrays_in_memory_are_scaled_alike() -> None:
    pictures, names = sides(8)
    for make in (
        lambda v: (v * 4095).astype(np.uint16),
        lambda v: v.astype(np.float32),
        lambda v: v - 1,
        lambda v: (v * 255).astype(np.int64),
        lambda v: np.repeat((v * 4095).astype(np.uint16)[:, :, None], 3, 2),
        lambda v: Image.fromarray((v * 4095).astype(np.uint16)),
        lambda v: v.astype(np.float16)[:, :, None],
    ):
        table = load({"image": [make(v) for v in pictures], "label": names}).table
        scale = table.scale("image")
        assert scale is not None
        seen = [np.asarray(decode(plain(cell, scale)))[:, :, 0] for cell in table.values("image")]
        assert np.corrcoef(np.stack(seen).reshape(-1), np.stack(pictures).reshape(-1))[0, 1] > 0.999


def test_hostile_arrays_are_refused_by_their_header() -> None:
    for shape, kind, reason in (
        ((60_000, 60_000), "<f4", "more than 100 megapixels"),
        ((2, 2, 7), "<f4", "which is no picture"),
        ((2, 2), "<c8", "which is no picture"),
        ((2, 2), "|O", "which is no picture"),
        ((0, 2), "<f4", "which is no picture"),
    ):
        file = io.BytesIO()
        np.lib.format.write_array_header_1_0(file, {"shape": shape, "fortran_order": False, "descr": kind})
        with pytest.raises(MediaError, match=reason):
            examine(file.getvalue() + bytes(16))
    with pytest.raises(MediaError, match="an array that is damaged"):
        examine(raw_files.NUMPY + b"\x01\x00\x10\x00__import__('os')")
    with pytest.raises(MediaError, match="damaged or cut off"):
        examine(encode(np.ones((9, 9)))[:-8])


def test_large_deep_pictures_need_little_memory() -> None:
    import tracemalloc

    values = np.zeros((2000, 3000), np.uint16)
    tracemalloc.start()
    eight_bit(values, scale_of([measured(values)]))
    assert tracemalloc.get_traced_memory()[1] < 6 * values.size
    tracemalloc.stop()


def test_deep_avif_and_jpeg_2000() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if "JPEG2000" in formats():
            values = (np.arange(24 * 24).reshape(24, 24) * 7).astype(np.uint16)
            file = io.BytesIO()
            Image.fromarray(values).save(file, "JPEG2000")
            assert np.asarray(decode(file.getvalue())).max() > 200
