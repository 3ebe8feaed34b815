"""graftwork.networks.audio.spectrogram against transformers' own numpy front end, and formulas worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers.audio_utils import mel_filter_bank, spectrogram, window_function

from graftwork.networks.audio.spectrogram import LogMel, MelSettings, magnitudes, mel_filters
from tinysound import tone

YAMNET = MelSettings(low=125.0, high=7500.0, power=1, floor=1e-3)
KALDI = MelSettings(
    mels=128,
    low=20.0,
    high=8000.0,
    log="clamp",
    floor=1.192092955078125e-07,
    whole_frames=True,
    symmetric=True,
    remove_mean=True,
    preemphasis=0.97,
)
SOUND = tone(440, 0.5, 16000)


def batch(*rows: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    lengths = [len(row) for row in rows]
    wave = np.zeros((len(rows), max(lengths)), np.float32)
    for place, row in zip(wave, rows, strict=True):
        place[: len(row)] = row
    return torch.from_numpy(wave), torch.tensor(lengths)


@pytest.mark.filterwarnings("ignore:At least one mel filter has all zero values")  # as AST has them
@pytest.mark.parametrize("settings", [YAMNET, KALDI, MelSettings(rate=8000, fft=256, window=200, hop=80, high=3800.0)])
def test_mel_filters(settings):
    scale = "kaldi" if settings is KALDI else "htk"
    expected = mel_filter_bank(
        settings.fft // 2 + 1,
        settings.mels,
        settings.low,
        settings.high,
        settings.rate,
        norm=None,
        mel_scale=scale,
        triangularize_in_mel_space=True,
    )
    np.testing.assert_allclose(mel_filters(settings), expected, atol=1e-12)


def test_as_kaldi():
    frames = int(KALDI.frames(torch.tensor(len(SOUND))))
    expected = spectrogram(
        SOUND,
        window_function(400, "hann", periodic=False),
        frame_length=400,
        hop_length=160,
        fft_length=512,
        power=2.0,
        center=False,
        preemphasis=0.97,
        mel_filters=mel_filters(KALDI),
        log_mel="log",
        mel_floor=KALDI.floor,
        remove_dc_offset=True,
    ).T
    assert frames == len(expected)
    got = LogMel(KALDI)(torch.from_numpy(SOUND)[None], frames)[0]
    np.testing.assert_allclose(got, expected, atol=2e-3)


def test_as_yamnet():
    energies = spectrogram(
        SOUND,
        window_function(400, "hann", periodic=True),
        frame_length=400,
        hop_length=160,
        fft_length=512,
        power=1.0,
        center=False,
        mel_filters=mel_filters(YAMNET),
        mel_floor=0.0,
    ).T
    got = LogMel(YAMNET)(torch.from_numpy(SOUND)[None], len(energies))[0]
    np.testing.assert_allclose(got, np.log(energies + 1e-3), atol=1e-4)


def test_frames():
    samples = torch.tensor([0, 1, 400, 401, 560, 561])
    assert MelSettings().frames(samples).tolist() == [1, 1, 1, 2, 2, 3]
    assert MelSettings(whole_frames=True).frames(samples).tolist() == [1, 1, 1, 1, 2, 2]


def test_padding_has_no_influence():
    short = SOUND[:3000]
    wave, lengths = batch(SOUND, short)
    front = LogMel(YAMNET)
    together = front(wave, int(YAMNET.frames(lengths).max()))
    own = int(YAMNET.frames(lengths)[1])
    torch.testing.assert_close(together[1, :own], front(torch.from_numpy(short)[None], own)[0])


def test_silence_and_frames_beyond_the_wave():
    front = LogMel(YAMNET)
    mel = front(torch.zeros(1, 10), 5)
    torch.testing.assert_close(mel, torch.full((1, 5, 64), front.silence))


def test_gradients_are_right_and_finite_in_silence():
    small = MelSettings(rate=800, window=20, hop=8, fft=32, mels=4, low=20.0, high=390.0, power=1, floor=1e-2)
    front = LogMel(small).double()
    wave = torch.from_numpy(tone(90, 0.06, 800)).double()[None].requires_grad_()

    def mean(given: torch.Tensor) -> torch.Tensor:
        cut = given.unfold(1, 20, 8) * front.taper
        return (magnitudes(torch.fft.rfft(cut, n=32), 1) @ front.filters + 1e-2).log().mean()

    assert torch.autograd.gradcheck(mean, wave)
    silent = torch.zeros(1, 4000, requires_grad=True)
    LogMel(YAMNET)(silent, 20).sum().backward()
    assert silent.grad is not None
    assert torch.isfinite(silent.grad).all()


def test_autocast_changes_nothing():
    front, wave = LogMel(YAMNET), torch.from_numpy(SOUND)[None]
    with torch.autocast("cpu", torch.bfloat16):
        lowered = front(wave, 40)
    torch.testing.assert_close(lowered, front(wave, 40), rtol=0, atol=0)
