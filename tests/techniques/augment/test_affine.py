from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage

from graftwork.errors import UsageError
from graftwork.techniques import Affine
from graftwork.techniques.augment.geometry import warp
from techniques.augment.conftest import images, stream


def test_maps_are_a_turn_after_a_slanted_stretch_within_the_settings() -> None:
    maps = Affine(30.0, 0.3, 0.25, 0.1).maps(500, stream()).double()
    for theta in maps:
        angle = torch.atan2(theta[1, 0], theta[0, 0])
        turned_back = (
            torch.stack([torch.stack([angle.cos(), angle.sin()]), torch.stack([-angle.sin(), angle.cos()])])
            @ theta[:, :2]
        )
        assert abs(angle) <= np.deg2rad(30) + 1e-6
        assert abs(turned_back[1, 0]) < 1e-6  # what is left is upright: [[wide, slant], [0, high]]
        assert (turned_back.diagonal().log().abs() <= 0.3 + 1e-6).all()
        assert abs(turned_back[0, 1]) <= 0.25 + 1e-6
    assert maps[:, :, 2].abs().max() <= 0.1
    assert maps.std(dim=0).min() > 0.01  # each row draws its own


def test_pixels_are_those_of_an_independent_affine_transform() -> None:
    pixels = images(3, 16)
    maps = Affine().maps(3, stream())
    seen = warp(pixels, maps, beyond="border").numpy()
    for row in range(3):
        matrix, move = maps[row, :, :2].numpy().astype(float), maps[row, :, 2].numpy().astype(float)
        flipped = matrix[::-1, ::-1]  # scipy counts (row, column), in pixels from the first one's middle
        offset = 7.5 + 8 * move[::-1] - flipped @ np.array([7.5, 7.5])
        for channel in range(3):
            expected = ndimage.affine_transform(
                pixels[row, channel].numpy().astype(float), flipped, offset, order=1, mode="nearest"
            )
            np.testing.assert_allclose(seen[row, channel], expected, atol=1e-4)


@pytest.mark.parametrize("wrong", [{"degrees": 181.0}, {"stretch": -0.1}, {"shear": 1.5}, {"shift": 2.0}])
def test_settings_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError, match=f"affine.*{next(iter(wrong))}"):
        Affine(**wrong)
