from __future__ import annotations

import numpy as np
import torch

from graftwork.techniques import Crop
from graftwork.techniques.augment.geometry import warp, window
from techniques.augment.conftest import images, stream


def test_the_whole_window_is_the_image():
    pixels = images()
    zero, one = torch.zeros(6), torch.ones(6)
    torch.testing.assert_close(warp(pixels, window(zero, zero, one, one)), pixels)


def test_a_quarter_is_that_quarter_enlarged():
    pixels = images(1, 8)
    quarter, half = torch.tensor([0.5]), torch.tensor([0.5])
    seen = warp(pixels, window(quarter, torch.zeros(1), half, half))
    block = pixels[:, :, 0:4, 4:8]
    # Pixel 2 and 3 of the result lie a quarter to each side of the border between pixels 1 and 2 of the block.
    row = 0.75 * block[:, :, 1] + 0.25 * block[:, :, 2]
    torch.testing.assert_close(seen[:, :, 3, 3], 0.75 * row[:, :, 1] + 0.25 * row[:, :, 2])


def test_pad_alone_moves_by_whole_pixels_into_the_reflection():
    pixels = images(64, 8)
    seen = Crop(1.0, 1.0, 0.25).change(None)({"pixels": pixels}, stream())["pixels"].numpy()
    padded = np.pad(pixels.numpy(), ((0, 0), (0, 0), (2, 2), (2, 2)), mode="symmetric")
    places = set()
    for row in range(64):
        found = [
            (top, left)
            for top in range(5)
            for left in range(5)
            if np.allclose(padded[row, :, top : top + 8, left : left + 8], seen[row], atol=1e-5)
        ]
        assert len(found) == 1
        places.add(found[0])
    assert len(places) > 15


def test_windows_keep_to_their_settings():
    theta = Crop(0.5, 0.8, 0.1).windows(2000, 32, stream())
    width, height = theta[:, 0, 0], theta[:, 1, 1]
    area = width * height
    assert area.max() <= 1
    assert area.min() >= 0.5 * 0.8  # a side that would not fit is cut off
    assert float((width / height).min()) > 0.79
    assert float((width / height).max()) < 1.26
    for side, centre in ((width, theta[:, 0, 2]), (height, theta[:, 1, 2])):
        first = (centre + 1 - side) / 2
        assert first.min() >= -0.1001
        assert (first + side).max() <= 1.1001
        assert first.min() < -0.05
