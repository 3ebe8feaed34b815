"""Noise: white noise over the sound, softer or louder, so that a recording need not be clean to be understood.

It helps where the sounds to predict are noisier than those to train on; on clean test sets it may cost a little. White
noise stands for hiss, not for other voices.

Source: Yin et al. 2015 (noisy training for deep neural networks in speech recognition).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from graftwork.core.technique import Phase
from graftwork.data.batch import Inputs
from graftwork.data.table import Modality
from graftwork.errors import UsageError
from graftwork.networks.encoder import Encoder
from graftwork.spaces import Range, Spaces
from graftwork.techniques.augment.inputs import Augmentation, Change, between, chance
from graftwork.techniques.augment.waves import own, samples_of, wave_of
from graftwork.techniques.checks import check_range


def with_noise(wave: Tensor, samples: Tensor, noise: Tensor, snr: Tensor) -> Tensor:
    """wave (B, T) plus noise (B, T) of variance 1, made so loud that the ratio of the powers is `snr` (B,) in decibels.

    Powers are taken over each row's own samples; silence stays silence.
    """
    mask = own(wave, samples)
    power = (wave * mask).square().sum(1) / samples.clamp(min=1)
    loudness = (power / 10 ** (snr / 10)).sqrt()
    return wave + noise * mask * loudness.unsqueeze(1)


@dataclass(frozen=True)
class Noise(Augmentation):
    """Add white noise to sounds.

    probability: share of the rows that get noise, from 0 (off) to 1.
    snr_low, snr_high: the signal-to-noise ratio is drawn between them, in decibels; 0 is noise as loud as the sound, 40
        is hardly heard.
    """

    probability: float = 0.5
    snr_low: float = 10.0
    snr_high: float = 30.0

    name: ClassVar[str] = "noise"
    phase: ClassVar[Phase] = Phase.NOISE
    summary: ClassVar[str] = "add white noise to sounds"
    searched: ClassVar[Spaces] = {"probability": Range(0.2, 0.9)}
    modality: ClassVar[Modality] = "audio"

    def __post_init__(self) -> None:
        check_range(self.name, "probability", self.probability, 0.0, 1.0)
        check_range(self.name, "snr_low", self.snr_low, -40.0, 120.0)
        check_range(self.name, "snr_high", self.snr_high, -40.0, 120.0)
        if self.snr_low > self.snr_high:
            raise UsageError(f"noise: snr_low {self.snr_low} is above snr_high {self.snr_high}. Expected low to high.")

    @property
    def off(self) -> bool:
        return self.probability == 0.0

    def change(self, encoder: Encoder) -> Change:
        def change(inputs: Inputs, generator: torch.Generator) -> Inputs:
            wave, samples = wave_of(inputs), samples_of(inputs)
            rows = chance(len(wave), self.probability, generator)
            snr = between(len(wave), self.snr_low, self.snr_high, generator)
            noise = torch.randn(wave.shape, generator=generator) * rows.unsqueeze(1)
            return {"wave": with_noise(wave, samples, noise.to(wave), snr.to(wave)), "samples": samples}

        return change
