"""Bases for sounds that `graft bases get` fetches, by their names."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal

from graftwork.bases.home import need
from graftwork.errors import UsageError
from graftwork.networks.audio.bases import check_seconds
from graftwork.networks.base_settings import BaseSettings, TrainingRows, at_least
from graftwork.spaces import Range, Spaces

if TYPE_CHECKING:
    from graftwork.networks.encoder import Encoder


@dataclass(frozen=True, kw_only=True)
class _Whisper(BaseSettings):
    """depth: how many of its layers a sound goes through; those above are left out. The lower ones tell sounds and
    voices apart best, the upper ones are about words. layers: how many of the last of these stand side by side.
    pooling: over the clip. seconds: what a longer clip is cut to; of more than 30, windows of 30 are read."""

    depth: int
    layers: int = 1
    pooling: Literal["mean", "mean+max"] = "mean+max"
    seconds: float = 60.0

    modality = "audio"
    pretrained = True
    suggested_lr = 1e-4
    suggested_epochs = 5
    searched: ClassVar[Spaces] = {"depth": Range(2, 4), "layers": Range(1, 3)}

    def __post_init__(self) -> None:
        at_least(1, depth=self.depth, layers=self.layers)
        if self.layers > self.depth:
            raise UsageError(f"layers is {self.layers}. Expected at most the depth, {self.depth}.")
        check_seconds(self.seconds)

    def with_layers(self, layers: int) -> BaseSettings:
        return replace(self, layers=min(layers, self.depth))

    def build(self, rows: TrainingRows, seed: int) -> Encoder:
        from graftwork.networks.audio.whisper import WhisperEncoder

        return WhisperEncoder.from_pretrained(need(self.name), self.pooling, self.layers, self.seconds, self.depth)


@dataclass(frozen=True, kw_only=True)
class WhisperBase(_Whisper):
    """The encoder of Whisper base (Radford et al. 2022), 6 layers, trained on speech in 99 languages.

    depth: how many of its layers a sound goes through; those above are left out. The lower ones tell sounds and voices
    apart best, the upper ones are about words. layers: how many of the last of these stand side by side. pooling: over
    the clip. seconds: what a longer clip is cut to; of more than 30, windows of 30 are read.
    """

    depth: int = 3

    name = "whisper-base"
    summary = "the encoder of Whisper base: sounds of all kinds, speech in 99 languages"
    source = "fetched by: graft bases get whisper-base"


@dataclass(frozen=True, kw_only=True)
class WhisperTinyEn(_Whisper):
    """The encoder of Whisper tiny.en (Radford et al. 2022), 4 layers, trained on English speech.

    depth: how many of its layers a sound goes through; those above are left out. The lower ones tell sounds and voices
    apart best, the upper ones are about words. layers: how many of the last of these stand side by side. pooling: over
    the clip. seconds: what a longer clip is cut to; of more than 30, windows of 30 are read.
    """

    depth: int = 3

    name = "whisper-tiny.en"
    summary = "the encoder of Whisper tiny.en: sounds of all kinds, English speech; half of whisper-base's time"
    source = "fetched by: graft bases get whisper-tiny.en"


@dataclass(frozen=True, kw_only=True)
class GE2ESpeaker(BaseSettings):
    """An encoder of voices (Wan et al. 2018, generalised end-to-end loss), three LSTM layers: who speaks, whatever is
    said. For voices alone, with the task `identity`.

    seconds: what a longer clip is cut to.
    """

    seconds: float = 60.0

    name = "ge2e-speaker"
    summary = "LSTM that tells voices apart, 256 features; for the task identity"
    source = "fetched by: graft bases get ge2e-speaker"
    modality = "audio"
    pretrained = True
    suggested_lr = 3e-4
    suggested_epochs = 5

    def __post_init__(self) -> None:
        check_seconds(self.seconds)

    def build(self, rows: TrainingRows, seed: int) -> Encoder:
        from graftwork.networks.audio.ge2e import SpeakerEncoder

        return SpeakerEncoder.from_pretrained(need(self.name), seconds=self.seconds)
