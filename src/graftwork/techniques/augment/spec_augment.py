"""SpecAugment: bands of pitch and stretches of time are masked in the log-mel spectrogram.

The network must not rely on one band or one moment. Made for long training on speech. In short runs from scratch on
single words it cost several points (docs/augment.md): give it many passes, or smaller masks. The time warp of the paper
is left out: it brought the least there.

Source: Park et al. 2019 (SpecAugment).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from graftwork.core.technique import Phase
from graftwork.data.batch import Inputs
from graftwork.data.table import Modality
from graftwork.networks.audio.encoder import MelEncoder
from graftwork.networks.encoder import Encoder
from graftwork.spaces import Range, Spaces
from graftwork.techniques.augment.inputs import Augmentation, Change
from graftwork.techniques.checks import check_range


def stretch(lengths: Tensor, widest: Tensor, generator: torch.Generator, longest: int) -> Tensor:
    """A mask (B, longest), True on one stretch a row: 0 to `widest` (B,) wide, anywhere within the row's length (B,).

    All whole numbers are equally likely, both for the width and for the start.
    """
    width = (torch.rand(len(lengths), generator=generator) * (widest + 1)).floor()
    start = (torch.rand(len(lengths), generator=generator) * (lengths - width + 1)).floor()
    at = torch.arange(longest)
    return (at >= start.unsqueeze(1)) & (at < (start + width).unsqueeze(1))


@dataclass(frozen=True)
class SpecAugment(Augmentation):
    """Fill bands and stretches of each spectrogram with its mean.

    freq_masks, time_masks: how many, at least 0; none of both is off. freq_width: widest band, a share of all bands.
    time_width: longest stretch, a share of the row's own frames. From 0 to 1; the paper's are about 0.34 and 0.2.
    """

    freq_masks: int = 2
    freq_width: float = 0.2
    time_masks: int = 2
    time_width: float = 0.15

    name: ClassVar[str] = "spec-augment"
    phase: ClassVar[Phase] = Phase.SPECTRUM  # behind whatever changes the waveform
    summary: ClassVar[str] = "mask bands and stretches of spectrograms (SpecAugment)"
    searched: ClassVar[Spaces] = {"freq_width": Range(0.05, 0.3), "time_width": Range(0.05, 0.3)}
    modality: ClassVar[Modality] = "audio"
    # What comes behind it finds spectrograms and no samples.
    drops: ClassVar[frozenset[str]] = frozenset({"signals", "continuous_inputs"})

    def __post_init__(self) -> None:
        for setting, most in (("freq_masks", 20), ("time_masks", 20), ("freq_width", 1.0), ("time_width", 1.0)):
            check_range(self.name, setting, getattr(self, setting), 0.0, most)

    @property
    def off(self) -> bool:
        return not (self.freq_masks and self.freq_width) and not (self.time_masks and self.time_width)

    @property
    def needs(self) -> frozenset[str]:
        return super().needs | {"spectrogram"}

    def change(self, encoder: Encoder) -> Change:
        if not isinstance(encoder, MelEncoder):  # beside it, another audio column has a base with a spectrogram
            return lambda inputs, _: inputs

        def change(inputs: Inputs, generator: torch.Generator) -> Inputs:
            with torch.no_grad():
                seen = encoder.spectrogram(inputs)
                return seen | {"mel": self.masked(seen["mel"], seen["frames"], generator)}

        return change

    def masked(self, mel: Tensor, frames: Tensor, generator: torch.Generator) -> Tensor:
        """mel (B, T, mels) of which so many frames (B,) are each row's own, with masks drawn for it."""
        length, bands = frames.cpu().clamp(max=mel.shape[1]), torch.full((len(mel),), mel.shape[2])
        hidden = torch.zeros(mel.shape, dtype=torch.bool)
        for _ in range(self.freq_masks):
            widest = (bands * self.freq_width).floor()
            hidden |= stretch(bands, widest, generator, mel.shape[2]).unsqueeze(1)
        for _ in range(self.time_masks):
            widest = (length * self.time_width).floor()
            hidden |= stretch(length, widest, generator, mel.shape[1]).unsqueeze(2)
        own = (torch.arange(mel.shape[1]) < length.unsqueeze(1)).unsqueeze(2).to(mel.device)
        mean = (mel * own).sum((1, 2), keepdim=True) / (own.sum((1, 2), keepdim=True) * mel.shape[2])
        return torch.where(hidden.to(mel.device) & own, mean, mel)
