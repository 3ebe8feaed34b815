"""Corruptions of images, sounds and texts: in range, seeded, worse with the severity, and what they say."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from graftwork.evidence.robustness.noise_and_blur import along, blurred, filtered
from graftwork.evidence.robustness.sound_corruptions import SOUND_CORRUPTIONS, codec, noise, reverberation
from graftwork.evidence.robustness.text_corruptions import TEXT_CORRUPTIONS, case, typos
from graftwork.evidence.robustness.weather_and_files import IMAGE_CORRUPTIONS, brightness, contrast, jpeg


def draws(seed=0):
    return torch.Generator().manual_seed(seed)


def pictures(side=32, rows=4):
    """Smooth colours with an edge, so that blur and noise both show."""
    line = torch.linspace(0, 1, side)
    pixels = torch.stack([line[:, None].expand(side, side), line[None].expand(side, side), line[:, None] * line[None]])
    pixels = pixels.repeat(rows, 1, 1, 1) * 0.7 + 0.1
    pixels[:, :, side // 3 : side // 2] = 0.9
    return pixels


def test_there_are_fifteen():
    assert len(IMAGE_CORRUPTIONS) == 15


@pytest.mark.parametrize("side", [9, 32, 128])
@pytest.mark.parametrize("name", IMAGE_CORRUPTIONS)
def test_images_stay_images_and_are_the_same_for_the_same_draws(name, side):
    pixels = pictures(side, 2)
    for severity in (1, 5):
        first, again = (IMAGE_CORRUPTIONS[name](pixels, severity, draws()) for _ in range(2))
        assert first.shape == pixels.shape
        assert first.dtype == torch.float32
        assert torch.isfinite(first).all()
        assert 0 <= float(first.min()) <= float(first.max()) <= 1
        assert torch.equal(first, again)
        assert not torch.equal(first, pixels)
    assert torch.equal(pixels, pictures(side, 2))


@pytest.mark.parametrize("name", IMAGE_CORRUPTIONS)
def test_the_strongest_changes_more_than_the_weakest(name):
    pixels = pictures(128)
    far = [float((IMAGE_CORRUPTIONS[name](pixels, severity, draws(3)) - pixels).abs().mean()) for severity in (1, 5)]
    assert far[1] > far[0]


def test_gaussian_noise_has_the_spread_of_the_paper():
    grey = torch.full((2, 3, 64, 64), 0.5)
    for severity, spread in enumerate((0.04, 0.06, 0.08, 0.09, 0.10), start=1):
        found = IMAGE_CORRUPTIONS["gaussian noise"](grey, severity, draws()) - grey
        assert float(found.std()) == pytest.approx(spread, rel=0.05)
    large = IMAGE_CORRUPTIONS["gaussian noise"](torch.full((1, 3, 128, 128), 0.5), 1, draws())
    assert float(large.std()) == pytest.approx(0.08, rel=0.05)


def test_shot_noise_is_poisson_and_impulse_noise_salt_and_pepper():
    grey = torch.full((2, 3, 64, 64), 0.5)
    assert float(IMAGE_CORRUPTIONS["shot noise"](grey, 1, draws()).var()) == pytest.approx(0.5 / 500, rel=0.06)
    found = IMAGE_CORRUPTIONS["impulse noise"](grey, 5, draws())
    assert float((found == 0).float().mean()) == pytest.approx(0.035, abs=0.005)
    assert float((found == 1).float().mean()) == pytest.approx(0.035, abs=0.005)


def test_blurs_keep_a_plain_image_and_the_total_light():
    plain = torch.full((2, 3, 16, 16), 0.3)
    point = torch.zeros(1, 1, 21, 21)
    point[0, 0, 10, 10] = 1.0
    torch.testing.assert_close(blurred(plain, 1.5), plain)
    torch.testing.assert_close(along(plain, 5.0, 2.0, torch.tensor([0.3, -0.7])), plain)
    assert float(blurred(point, 1.5).sum()) == pytest.approx(1.0, abs=1e-5)
    line = along(point, 6.0, 100.0, torch.tensor([0.0]))[0, 0]
    assert line[10].sum() == pytest.approx(1.0, abs=1e-5)  # straight along the row, and on one side


def test_each_image_goes_through_its_own_kernel():
    pixels, kernels = torch.rand(2, 3, 6, 6), torch.zeros(2, 3, 3)
    kernels[0, 1, 1], kernels[1, 1, 2] = 1.0, 2.0
    found = filtered(pixels, kernels)
    torch.testing.assert_close(found[0], pixels[0])
    torch.testing.assert_close(found[1, ..., :-1], 2 * pixels[1, ..., 1:])


def test_contrast_and_brightness_are_what_they_say():
    pixels = pictures()
    mean = pixels.mean((2, 3), keepdim=True)
    torch.testing.assert_close(contrast(pixels, 2, draws()), (pixels - mean) * 0.5 + mean)
    brighter = brightness(pixels, 2, draws())
    torch.testing.assert_close(brighter.amax(1), (pixels.amax(1) + 0.1).clamp(max=1))


def test_jpeg_is_pillows():
    pixels = pictures(rows=1)
    values = (pixels[0] * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, "JPEG", quality=40)
    expected = np.asarray(Image.open(buffer)).transpose(2, 0, 1) / 255
    np.testing.assert_allclose(jpeg(pixels, 5, draws())[0].numpy(), expected, atol=1e-6)


def tones():
    time = torch.arange(2000) / 2000
    wave = torch.stack([0.5 * torch.sin(2 * np.pi * 100 * time), 0.2 * torch.sin(2 * np.pi * 300 * time)])
    wave[1, 1500:] = 0
    return wave, torch.tensor([2000, 1500])


@pytest.mark.parametrize("name", SOUND_CORRUPTIONS)
def test_sounds_stay_sounds_and_silence_behind_them_stays(name):
    wave, samples = tones()
    far = []
    for severity in (1, 5):
        first, again = (SOUND_CORRUPTIONS[name](wave, samples, 2000, severity, draws()) for _ in range(2))
        assert first.shape == wave.shape
        assert torch.equal(first, again)
        assert float(first.abs().max()) <= 1
        assert not first[1, 1500:].any()
        far.append(float((first - wave).abs().mean()))
    assert far[1] > far[0] > 0
    silent = SOUND_CORRUPTIONS[name](torch.zeros(1, 100), torch.tensor([100]), 2000, 3, draws())
    assert torch.isfinite(silent).all()


def test_noise_has_its_loudness_and_an_echo_is_as_loud_as_before():
    wave, samples = tones()
    added = noise(wave, samples, 2000, 3, draws()) - wave
    ratio = 10 * torch.log10(wave[0].square().mean() / added[0].square().mean())
    assert float(ratio) == pytest.approx(10.0, abs=0.5)
    echo = reverberation(wave * 0.2, samples, 2000, 4, draws())
    torch.testing.assert_close(echo.norm(dim=1), (wave * 0.2).norm(dim=1), rtol=1e-3, atol=1e-4)


def test_a_codec_leaves_high_pitches_out():
    time = torch.arange(2000) / 2000
    wave = (0.4 * torch.sin(2 * np.pi * 100 * time) + 0.4 * torch.sin(2 * np.pi * 900 * time)).unsqueeze(0)
    spectrum = torch.fft.rfft(codec(wave, torch.tensor([2000]), 2000, 3, draws())).abs()[0]
    assert float(spectrum[100]) > 300
    assert float(spectrum[900]) < 20


def test_typing_errors_grow_and_need_letters():
    text = "where is the nearest station to the old market square " * 10
    counts = []
    for severity in (1, 3, 5):
        found = typos(text, severity, np.random.default_rng(0))
        assert found == typos(text, severity, np.random.default_rng(0))
        counts.append(sum(one != other for one, other in zip(text.split(), found.split(), strict=True)))
    assert counts[0] < counts[1] < counts[2]
    assert 0.25 < counts[2] / len(text.split()) < 0.75
    for blank in ("", "a", "  ", "。"):
        assert typos(blank, 5, np.random.default_rng(0)).strip() == blank.strip()
    spaceless = "这是一个很长的没有空格的句子"
    assert any(typos(spaceless, 5, np.random.default_rng(seed)) != spaceless for seed in range(5))


def test_case_flips_a_share_and_at_last_all_are_capitals():
    text = "Where is the station? " * 40
    found = case(text, 3, np.random.default_rng(0))
    assert found.lower() == text.lower()
    changed = [one != other for one, other in zip(text, found, strict=True) if one.isalpha()]
    assert np.mean(changed) == pytest.approx(0.25, abs=0.06)
    assert case(text, 5, np.random.default_rng(0)) == text.upper()
    assert set(TEXT_CORRUPTIONS) == {"typos", "case"}
