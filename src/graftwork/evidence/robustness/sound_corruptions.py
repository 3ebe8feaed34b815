"""Corruptions of sounds: noise, the echo of a room, and what a telephone leaves of them.

Each takes waves (B, T) from -1 to 1 with the samples that are each row's own (B,), the samples a second, a severity
from 1 to 5 and a random stream.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

SoundCorruption = Callable[[Tensor, Tensor, int, int, torch.Generator], Tensor]
_DECIBELS = (20.0, 15.0, 10.0, 5.0, 0.0)
_ECHO_SECONDS = (0.1, 0.2, 0.4, 0.7, 1.0)
_BAND_AND_BITS = ((0.9, 8), (0.7, 8), (0.5, 7), (0.35, 6), (0.25, 5))
_MU = 255.0


def noise(wave: Tensor, samples: Tensor, rate: int, severity: int, draws: torch.Generator) -> Tensor:  # noqa: ARG001
    """White noise, 20 to 0 decibels below the sound."""
    mask = _own(wave, samples)
    power = (wave * mask).square().sum(1, keepdim=True) / samples.clamp(min=1).unsqueeze(1)
    drawn = torch.randn(wave.shape, generator=draws).to(wave) * mask
    return (wave + drawn * (power / 10 ** (_DECIBELS[severity - 1] / 10)).sqrt()).clamp(-1, 1)


def reverberation(wave: Tensor, samples: Tensor, rate: int, severity: int, draws: torch.Generator) -> Tensor:
    """The sound with its echo in a room: noise that falls by 60 decibels within 0.1 to 1 second, as loud as the sound.

    As loud as before, and cut off where the sound ends.
    """
    seconds = _ECHO_SECONDS[severity - 1]
    length = max(2, int(seconds * rate))
    falling = torch.exp(-math.log(1000.0) * torch.arange(length) / length)
    echo = torch.randn(len(wave), length, generator=draws) * falling
    echo = echo / echo.norm(dim=1, keepdim=True)
    echo[:, 0] += 1.0
    size = wave.shape[1] + length
    mixed = torch.fft.irfft(torch.fft.rfft(wave, size) * torch.fft.rfft(echo.to(wave), size), size)[:, : wave.shape[1]]
    mixed = mixed * _own(wave, samples)
    louder = mixed.square().sum(1, keepdim=True).sqrt().clamp_min(1e-9)
    loud: Tensor = (mixed * wave.square().sum(1, keepdim=True).sqrt() / louder).clamp(-1, 1)
    return loud


def codec(wave: Tensor, samples: Tensor, rate: int, severity: int, draws: torch.Generator) -> Tensor:  # noqa: ARG001
    """High pitches left out, and few loudness levels (mu-law, ITU-T G.711)."""
    band, bits = _BAND_AND_BITS[severity - 1]
    spectrum = torch.fft.rfft(wave)
    spectrum[:, int(band * spectrum.shape[1]) :] = 0
    low = torch.fft.irfft(spectrum, wave.shape[1]).clamp(-1, 1)
    pressed = low.sign() * torch.log1p(_MU * low.abs()) / math.log1p(_MU)
    levels = 2 ** (bits - 1)
    kept = (pressed * levels).round() / levels
    heard: Tensor = kept.sign() * torch.expm1(kept.abs() * math.log1p(_MU)) / _MU * _own(wave, samples)
    return heard


def _own(wave: Tensor, samples: Tensor) -> Tensor:
    return torch.arange(wave.shape[1], device=wave.device) < samples.unsqueeze(1)


SOUND_CORRUPTIONS: dict[str, SoundCorruption] = {"noise": noise, "reverberation": reverberation, "codec": codec}
