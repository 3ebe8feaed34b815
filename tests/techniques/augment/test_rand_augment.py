from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance, ImageOps

from graftwork.techniques import RandAugment
from graftwork.techniques.augment.operations import operations
from techniques.augment.conftest import images, stream

VALUES = np.random.default_rng(0).integers(20, 230, (3, 24, 24, 3), dtype=np.uint8)
PIXELS = torch.from_numpy(VALUES).permute(0, 3, 1, 2).float() / 255
MOVING = ("rotate", "shear-x", "shear-y", "translate-x", "translate-y")

PILLOW: dict[str, tuple[Callable[[Image.Image], Image.Image], float]] = {
    "identity": (lambda image: image, 0.5),
    "autocontrast": (ImageOps.autocontrast, 1.0),
    "equalize": (ImageOps.equalize, 1.0),
    "solarize": (lambda image: ImageOps.solarize(image, 128), 0.5),
    "posterize": (lambda image: ImageOps.posterize(image, 6), 0.5),
    "color": (lambda image: ImageEnhance.Color(image).enhance(1.45), 0.5),
    "contrast": (lambda image: ImageEnhance.Contrast(image).enhance(0.55), -0.5),
    "brightness": (lambda image: ImageEnhance.Brightness(image).enhance(1.45), 0.5),
    "sharpness": (lambda image: ImageEnhance.Sharpness(image).enhance(1.45), 0.5),
    "rotate": (lambda image: image.rotate(15, Image.Resampling.BILINEAR, fillcolor=(128, 128, 128)), 0.5),
}


def done(name: str, pixels: torch.Tensor, amount: float) -> torch.Tensor:
    return operations()[name](pixels, torch.full((len(pixels),), amount))


def test_there_are_fourteen():
    assert set(operations()) == {*PILLOW, *MOVING}
    assert len(operations()) == 14


@pytest.mark.parametrize("name", PILLOW)
def test_an_operation_is_that_of_pillow(name: str):
    expected_of, amount = PILLOW[name]
    found = done(name, PIXELS, amount).permute(0, 2, 3, 1).numpy() * 255
    for row in range(len(VALUES)):
        expected = np.asarray(expected_of(Image.fromarray(VALUES[row])), float)
        off = np.abs(found[row] - expected)
        if name == "rotate":  # at the edge Pillow does not blend with what is beyond
            off = off[6:-6, 6:-6]
        assert off.max() <= (4 if name == "equalize" else 2.5), off.max()


def test_a_translation_moves_by_pixels_and_fills_with_grey():
    pixels = images(2, 20)
    found = done("translate-x", pixels, 1 / 0.9 * 0.2)
    torch.testing.assert_close(found[..., :18], pixels[..., 2:], atol=1e-5, rtol=0)
    torch.testing.assert_close(found[..., 18:], torch.full((2, 3, 20, 2), 0.5), atol=1e-5, rtol=0)
    torch.testing.assert_close(done("translate-y", pixels.mT, 1 / 0.9 * 0.2).mT, found)


def test_a_shear_leaves_the_middle_row_where_it_is():
    pixels = images(2, 21)
    torch.testing.assert_close(done("shear-x", pixels, 1.0)[:, :, 10], pixels[:, :, 10], atol=1e-5, rtol=0)
    torch.testing.assert_close(done("shear-y", pixels, 1.0)[..., 10], pixels[..., 10], atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", [*MOVING, "solarize", "posterize", "color", "contrast", "brightness", "sharpness"])
def test_strength_0_does_nothing(name: str):
    torch.testing.assert_close(done(name, PIXELS, 0.0), PIXELS, atol=1e-5, rtol=0)


def test_each_row_draws_its_own_operations():
    same = images(1).repeat(200, 1, 1, 1)
    found = RandAugment(1, 30).change(None)({"pixels": same}, stream())["pixels"]
    different = len(torch.unique(found.flatten(1), dim=0))
    assert different >= 14  # most operations go both ways
    assert different <= 14 * 2
