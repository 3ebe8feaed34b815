"""Bases for sounds: any audio model of a folder that is known here, and a CNN and a GRU over log-mel from scratch."""

from __future__ import annotations

import re
from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal

from graftwork import specs
from graftwork.errors import UsageError
from graftwork.networks.base_settings import BaseSettings, Sizes, TrainingRows, at_least, check_dropout, seeded
from graftwork.spaces import Choice, Range, Spaces

if TYPE_CHECKING:
    from graftwork.networks.audio.spectrogram import MelSettings
    from graftwork.networks.encoder import Encoder


@dataclass(frozen=True, kw_only=True)
class AudioModel(BaseSettings):
    """A pretrained audio model in a folder, or on the hub. path: the folder with config.json and weights.

    layers: how many of the last blocks' features stand side by side. pooling: over the windows of a clip, for models
    that read windows; waveform models take the mean over their frames. seconds: what a longer clip is cut to; none for
    60 with windows, 30 with waveform models.
    """

    path: str
    layers: int = 1
    pooling: Literal["mean", "mean+max"] = "mean+max"
    seconds: float | None = None

    name = "audio-model"
    summary = "audio model from a folder or the hub (YAMNet's patches, AST, Wav2Vec2, HuBERT, WavLM, Whisper)"
    source = "audio-model:path=FOLDER, or just the folder"
    modality = "audio"
    pretrained = True
    suggested_lr = 1e-4
    suggested_epochs = 5
    searched: ClassVar[Spaces] = {"layers": Range(1, 4)}

    def __post_init__(self) -> None:
        at_least(1, layers=self.layers)
        check_seconds(self.seconds)

    @property
    def spec(self) -> str:
        """The bare path where nothing else is set, and it can't be taken for the name of a base."""
        changed = {key: value for key, value in specs.changed_settings(self).items() if key != "path"}
        return super().spec if changed or re.fullmatch(r"[\w-]+", self.path) else self.path

    def weights(self) -> str | None:
        return self.path

    def with_layers(self, layers: int) -> BaseSettings:
        from graftwork.networks.audio.pretrained import most_layers

        return replace(self, layers=min(layers, most_layers(self.path)))

    def build(self, rows: TrainingRows, seed: int) -> Encoder:
        from graftwork.networks.audio.pretrained import load

        return load(self.path, self.layers, self.pooling, self.seconds)


@dataclass(frozen=True, kw_only=True)
class _ScratchSettings(BaseSettings):
    """rate: samples a second that sounds are brought to. mels: bins of pitch, up to half the rate. seconds: what a
    longer clip is cut to."""

    width: int
    layers: int
    dropout: float = 0.1
    rate: int = 16000
    mels: int = 64
    seconds: float = 30.0

    modality = "audio"
    pretrained = False
    source = "trained from scratch"

    def __post_init__(self) -> None:
        at_least(1, layers=self.layers)
        at_least(2, width=self.width)
        at_least(1000, rate=self.rate)
        at_least(8, mels=self.mels)
        check_seconds(self.seconds)
        check_dropout(dropout=self.dropout)

    def build(self, rows: TrainingRows, seed: int) -> Encoder:
        from graftwork.networks.audio.spectrogram import MelSettings

        window = round(0.025 * self.rate)
        mel = MelSettings(
            rate=self.rate,
            window=window,
            hop=round(0.01 * self.rate),
            fft=1 << (window - 1).bit_length(),
            mels=self.mels,
            low=60.0,
            high=0.475 * self.rate,
        )
        with seeded(seed):
            return self.encoder(mel)

    @abstractmethod
    def encoder(self, mel: MelSettings) -> Encoder:
        """The encoder with random weights."""


@dataclass(frozen=True, kw_only=True)
class MelCNN(_ScratchSettings):
    """A convolutional network over log-mel. width: channels of its first stage, doubled by each further one."""

    width: int = 32
    layers: int = 4

    name = "mel-cnn"
    sizes: ClassVar[Sizes] = {"small": {"width": 16}, "medium": {"width": 32}, "large": {"width": 64}}
    searched: ClassVar[Spaces] = {"width": Choice((16, 32, 64)), "dropout": Range(0.0, 0.3)}
    summary = "convolutional network over log-mel, trained from scratch; the default for sounds"
    suggested_lr = 1e-3
    suggested_epochs = 15

    def __post_init__(self) -> None:
        super().__post_init__()
        if 2**self.layers > self.mels:
            raise UsageError(f"layers is {self.layers}: each halves the {self.mels} bins of pitch. Expected fewer.")

    def encoder(self, mel: MelSettings) -> Encoder:
        from graftwork.networks.audio.mel_cnn import MelCNNEncoder

        return MelCNNEncoder(mel, self.width, self.layers, self.dropout, self.seconds)


@dataclass(frozen=True, kw_only=True)
class MelGRU(_ScratchSettings):
    """A bidirectional GRU over log-mel. width: of each layer, half for each direction."""

    width: int = 256
    layers: int = 2
    dropout: float = 0.3

    name = "mel-gru"
    sizes: ClassVar[Sizes] = {"small": {"width": 128}, "medium": {"width": 256}, "large": {"width": 512}}
    searched: ClassVar[Spaces] = {"width": Choice((128, 256, 512)), "dropout": Range(0.1, 0.5)}
    summary = "bidirectional GRU over log-mel, trained from scratch"
    suggested_lr = 1e-3
    suggested_epochs = 15

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.width % 2:
            raise UsageError(f"width is {self.width}. Expected an even number: half for each direction.")

    def encoder(self, mel: MelSettings) -> Encoder:
        from graftwork.networks.audio.mel_gru import MelGRUEncoder

        return MelGRUEncoder(mel, self.width, self.layers, self.dropout, self.seconds)


def check_seconds(seconds: float | None) -> None:
    """Raise UsageError for a length that no clip is cut to."""
    if seconds is not None and not 0.1 <= seconds <= 1800:
        raise UsageError(f"seconds is {seconds}. Expected 0.1 to 1800.")
