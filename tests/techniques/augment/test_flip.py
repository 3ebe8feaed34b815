from __future__ import annotations

import pytest
import torch

from graftwork import specs
from graftwork.errors import UsageError
from graftwork.techniques import TECHNIQUES, Flip
from techniques.augment.conftest import images, stream


def test_certain_flips_are_mirror_images():
    pixels = images()
    change = Flip(1.0, 1.0).change(None)
    assert torch.equal(change({"pixels": pixels}, stream())["pixels"], pixels.flip(-1, -2))


def test_about_half_of_the_rows_are_flipped():
    pixels = images(400, 4)
    seen = Flip().change(None)({"pixels": pixels}, stream())["pixels"]
    mirrored = (seen == pixels.flip(-1)).flatten(1).all(1)
    same = (seen == pixels).flatten(1).all(1)
    assert torch.equal(mirrored, ~same)
    assert 160 < int(mirrored.sum()) < 240


@pytest.mark.parametrize("spec", ["flip:horizontal=1.1", "flip:vertical=-0.1"])
def test_a_probability_is_from_0_to_1(spec: str):
    with pytest.raises(UsageError, match="Expected a number from 0 to 1"):
        specs.parse(spec, TECHNIQUES, "technique")
