"""Gain: the same sound louder or softer, as from another microphone or another distance.

It helps bases that read the wave or a spectrogram as it is (YAMNet, AST, Wav2Vec2 without normalisation). The bases
mel-cnn and mel-gru level every clip themselves, so that it brings them nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from graftwork.core.technique import Phase
from graftwork.data.batch import Inputs
from graftwork.data.table import Modality
from graftwork.networks.encoder import Encoder
from graftwork.spaces import Range, Spaces
from graftwork.techniques.augment.inputs import Augmentation, Change, between
from graftwork.techniques.augment.waves import samples_of, wave_of
from graftwork.techniques.checks import check_range


@dataclass(frozen=True)
class Gain(Augmentation):
    """Change the loudness of each sound. db: by up to so many decibels, up or down; at least 0; 0 is off."""

    db: float = 6.0

    name: ClassVar[str] = "gain"
    phase: ClassVar[Phase] = Phase.LOUDNESS
    summary: ClassVar[str] = "make sounds louder or softer"
    searched: ClassVar[Spaces] = {"db": Range(2.0, 12.0)}
    modality: ClassVar[Modality] = "audio"

    def __post_init__(self) -> None:
        check_range(self.name, "db", self.db, 0.0, 60.0)

    @property
    def off(self) -> bool:
        return self.db == 0.0

    def change(self, encoder: Encoder) -> Change:
        def change(inputs: Inputs, generator: torch.Generator) -> Inputs:
            wave = wave_of(inputs)
            factor = 10 ** (between(len(wave), -self.db, self.db, generator) / 20)
            return {"wave": wave * factor.to(wave.device).unsqueeze(1), "samples": samples_of(inputs)}

        return change
