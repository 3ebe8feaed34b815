from __future__ import annotations

import pytest
import torch

from graftwork import specs
from graftwork.data.batch import Batch
from graftwork.errors import UsageError
from graftwork.techniques import TECHNIQUES, TTA
from graftwork.techniques.augment.tta import MOST, image_view, sound_view
from techniques.augment.conftest import images


def test_views_are_all_different_and_the_first_is_the_image():
    pixels = images(2, 16)
    for flip, most in ((True, MOST), (False, MOST // 2)):
        views = torch.stack([image_view(pixels, view, flip=flip) for view in range(most)]).flatten(1)
        assert torch.equal(views[0], pixels.flatten())
        assert len(torch.unique(views, dim=0)) == most


def test_odd_views_are_the_mirror_images_of_those_before():
    pixels = images(2, 16)
    for view in range(0, MOST, 2):
        mirrored = image_view(pixels, view + 1, flip=True)
        assert torch.equal(mirrored, image_view(pixels, view, flip=True).flip(-1))


def test_a_corner_shows_that_corner():
    pixels = torch.zeros(1, 3, 16, 16)
    pixels[..., :2, :2] = 1.0  # left upper corner: seen in the whole and in that corner's window, not in the opposite
    seen = [float(image_view(pixels, view, flip=False).sum()) > 1 for view in range(6)]
    assert seen == [True, True, True, False, False, False]


def test_sounds_move_to_and_fro():
    wave = torch.zeros(1, 100)
    wave[0, 50] = 1.0
    inputs = {"wave": wave, "samples": torch.tensor([100])}
    at = [int(sound_view(inputs, view)["wave"].argmax()) for view in range(5)]
    assert at == [50, 52, 48, 54, 46]


def test_predictions_are_the_mean_over_the_views(pictures):
    network, _, batch = pictures("photo", "back")
    network.eval()
    found = TTA(3).over_views(network.as_forward())(batch)
    expected = []
    for view in range(3):
        inputs = {n: {"pixels": image_view(batch.inputs[n]["pixels"], view, flip=True)} for n in ("photo", "back")}
        expected.append(network(Batch(inputs=inputs, rows=batch.rows)).predictions["classes"])
    torch.testing.assert_close(found.predictions["classes"], torch.stack(expected).mean(0))
    assert not torch.equal(found.predictions["classes"], expected[0])


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("tta:views=0", "views is 0. Expected a number from 1 to 12"),
        ("tta:views=13", "from 1 to 12"),
        ("tta:views=8,flip=no", "views is 8. Without flips there are 6"),
    ],
)
def test_wrong_settings_say_what_is_allowed(spec: str, message: str):
    with pytest.raises(UsageError, match=message):
        specs.parse(spec, TECHNIQUES, "technique")
