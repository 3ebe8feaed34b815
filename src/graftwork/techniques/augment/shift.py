"""Shift: the same sound a little earlier or later in its clip.

It helps on clips that were cut by hand or by an event (commands, claps). Bases that take means over time hardly notice
a shift by themselves, so that it brings them little.
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
from graftwork.techniques.augment.waves import rolled, samples_of, wave_of
from graftwork.techniques.checks import check_range


@dataclass(frozen=True)
class Shift(Augmentation):
    """Move sounds in time; what leaves the clip at one end comes in at the other.

    share: by up to this share of the clip's length, earlier or later; from 0 (off) to 0.5.
    """

    share: float = 0.1

    name: ClassVar[str] = "shift"
    phase: ClassVar[Phase] = Phase.SHIFT
    summary: ClassVar[str] = "move sounds in time"
    searched: ClassVar[Spaces] = {"share": Range(0.02, 0.3)}
    modality: ClassVar[Modality] = "audio"
    moves: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_range(self.name, "share", self.share, 0.0, 0.5)

    @property
    def off(self) -> bool:
        return self.share == 0.0

    def change(self, encoder: Encoder) -> Change:
        def change(inputs: Inputs, generator: torch.Generator) -> Inputs:
            wave, samples = wave_of(inputs), samples_of(inputs)
            share = between(len(wave), -self.share, self.share, generator).to(wave.device)
            return {"wave": rolled(wave, samples, (share * samples).round().long()), "samples": samples}

        return change
