from __future__ import annotations

import colorsys
import sys

import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance

from graftwork.errors import UsageError
from graftwork.techniques import Colour, RandAugment
from graftwork.techniques.augment import pixels
from graftwork.techniques.augment.inputs import between
from techniques.augment.conftest import images, stream


def seen(technique: Colour, pixels: torch.Tensor) -> torch.Tensor:
    return technique.change(None)({"pixels": pixels}, stream())["pixels"]


@pytest.mark.parametrize(
    ("setting", "enhance"),
    [
        ("brightness", ImageEnhance.Brightness),
        ("contrast", ImageEnhance.Contrast),
        ("saturation", ImageEnhance.Color),
    ],
)
def test_amounts_are_those_of_pillow(setting, enhance):
    values = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3), dtype=np.uint8)
    pixels = torch.from_numpy(values).permute(0, 3, 1, 2) / 255
    nothing = {"brightness": 0.0, "contrast": 0.0, "saturation": 0.0, "hue": 0.0}
    found = seen(Colour(**nothing | {setting: 0.5}), pixels).permute(0, 2, 3, 1).numpy() * 255
    for row, factor in enumerate(between(4, 0.5, 1.5, stream()).tolist()):
        expected = np.asarray(enhance(Image.fromarray(values[row])).enhance(factor), float)
        assert np.abs(found[row] - expected).max() < 2  # Pillow rounds to whole values, and its grey


def test_hue_turns_the_colour_circle():
    pixels = images(3, 4)
    found = seen(Colour(0.0, 0.0, 0.0, hue=0.1), pixels)
    for row, turn in enumerate(between(3, -0.1, 0.1, stream()).tolist()):
        hue, saturation, value = colorsys.rgb_to_hsv(*pixels[row, :, 2, 1].tolist())
        expected = colorsys.hsv_to_rgb((hue + turn) % 1, saturation, value)
        np.testing.assert_allclose(found[row, :, 2, 1], expected, atol=1e-4)


def test_threads_are_as_before():
    torch.set_num_threads(2)
    seen(Colour(), images())
    assert torch.get_num_threads() == 2
    torch.set_num_threads(1)


@pytest.mark.parametrize("technique", [Colour(), RandAugment()], ids=lambda technique: technique.name)
def test_a_missing_package_is_named(technique, monkeypatch):
    monkeypatch.setitem(sys.modules, "kornia", None)
    monkeypatch.setattr(pixels, "find_spec", lambda _: None)
    with pytest.raises(UsageError, match=rf"{technique.name} needs the package kornia: pip install 'graftwork\[aug"):
        technique.change(None)
