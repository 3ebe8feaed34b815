"""What is read of an observation, and what is no observation of the kind that was said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from graftwork.errors import DataError
from graftwork.rl.world.observations import Part

PICTURE = Part("seen", "image", ("seen",), (16, 16, 3))
NUMBERS = Part("observation", "numbers", (), (2,))
CHOICE = Part("way", "category", ("way",), sizes=(3,), starts=(1,))


def test_whole_numbers_from_0_to_255_are_bytes_whatever_their_type() -> None:
    pixels = np.arange(768).reshape(16, 16, 3) % 256
    assert np.array_equal(PICTURE.read({"seen": pixels.astype(np.float64)}), pixels.reshape(-1))


@pytest.mark.parametrize(
    ("part", "observation", "message"),
    [
        (PICTURE, {"seen": np.full((16, 16, 3), 0.5)}, "'seen' has values that are no bytes"),
        (PICTURE, {"seen": np.full((16, 16, 3), 256)}, "'seen' has values that are no bytes"),
        (PICTURE, {"seen": np.full((16, 16, 3), np.nan)}, "'seen' has values that are no bytes"),
        (PICTURE, {"shown": np.zeros((16, 16, 3))}, "There is no 'seen' in dict"),
        (PICTURE, np.zeros((16, 16, 3)), "There is no 'seen' in ndarray"),
        (NUMBERS, [0.0, float("nan")], "'observation' has numbers that are not finite"),
        (NUMBERS, ["left", "right"], "'observation' can't be read: could not convert"),
        (NUMBERS, [0.0], "has the shape"),
        (CHOICE, {"way": 1.5}, "'way' is 1.5. Expected 1 to 3"),
        (CHOICE, {"way": float("inf")}, "'way' can't be read"),
        (CHOICE, {"way": "left"}, "'way' can't be read"),
    ],
)
def test_what_does_not_fit_is_said(part: Part, observation: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        part.read(observation)
