"""What all audio encoders share: values are encoded files, prepared rows are 16-bit samples at the encoder's rate."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from graftwork.data.batch import Inputs
from graftwork.data.media import sounds
from graftwork.networks.audio.spectrogram import LogMel, MelSettings
from graftwork.networks.encoder import Encoder

PREPARED = 2
"""Raise it whenever `prepare` gives other samples for the same file."""
TOKEN_SECONDS = 0.1
"""A token of work: a clip of 5 seconds counts as 50."""


class AudioEncoder(Encoder):
    """An encoder of a sound column.

    rate: samples a second that it reads. seconds: what a longer sound is cut to.
    Inputs are {"wave": (B, T) from -1 to 1, silent behind each row's end, "samples": (B,) lengths}.
    """

    modality = "audio"
    prepared_dtype = "int16"

    def __init__(self, rate: int, seconds: float) -> None:
        super().__init__()
        self.rate, self.seconds = rate, seconds

    def prepare(self, values: Sequence[Any]) -> list[np.ndarray]:
        return [np.zeros(0, np.int16) if value is None else self._samples(value) for value in values]

    def _samples(self, encoded: bytes) -> np.ndarray:
        samples, rate = sounds.decode(encoded)
        samples = samples[: max(1, round(self.seconds * rate))]
        return sounds.as_int16(sounds.at_rate(samples, rate, self.rate))

    @property
    def fingerprint(self) -> str:
        return f"audio-{PREPARED}-{self.rate}-{self.seconds}"

    def collate(self, rows: Sequence[np.ndarray]) -> Inputs:
        lengths = [len(row) for row in rows]
        wave = np.zeros((len(rows), max([1, *lengths])), np.float32)
        for place, row in zip(wave, rows, strict=True):
            place[: len(row)] = row
        return {"wave": torch.from_numpy(wave / 32768.0), "samples": torch.tensor(lengths, dtype=torch.int64)}

    def tokens(self, lengths: np.ndarray) -> np.ndarray:
        counted: np.ndarray = np.maximum(1, np.ceil(np.asarray(lengths) / (TOKEN_SECONDS * self.rate)))
        return counted.astype(np.int64)

    def save_files(self, folder: Path) -> None:
        """Nothing: all that is needed stands in `config`."""


class MelEncoder(AudioEncoder):
    """An encoder that reads log-mel spectrograms, computed from the wave in its forward.

    `forward` and `states` also take {"mel": (B, frames, mels), "frames": (B,)} as `spectrogram` gives it, so that a
    technique can change the spectrogram in between.
    """

    def __init__(self, settings: MelSettings, seconds: float) -> None:
        super().__init__(settings.rate, seconds)
        self.log_mel = LogMel(settings)

    @property
    def mel(self) -> MelSettings:
        return self.log_mel.settings

    def spectrogram(self, inputs: Inputs) -> Inputs:
        """{"wave", "samples"} -> {"mel": (B, frames, mels), natural log; "frames": (B,)}, differentiable.

        What stands behind a row's own frames has no influence on its features, or is silence. What is a spectrogram
        already is handed back as it is.
        """
        if "mel" in inputs:
            return inputs
        frames = self.mel.frames(inputs["samples"])
        return {"mel": self.log_mel(inputs["wave"], self.longest(frames)), "frames": frames}

    def longest(self, frames: Tensor) -> int:
        """Frames of the spectrogram of a batch of rows of so many frames (B,)."""
        return int(frames.max())


def valid(lengths: Tensor, longest: int) -> Tensor:
    """A mask (B, longest) that is True before each row's length."""
    return torch.arange(longest, device=lengths.device) < lengths.unsqueeze(1)
