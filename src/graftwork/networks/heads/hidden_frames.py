"""A head that gives a log-mel spectrogram back from the steps of its base, by one linear layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from graftwork.data.batch import Batch
from graftwork.errors import UsageError
from graftwork.networks.audio.encoder import MelEncoder
from graftwork.networks.features import Features
from graftwork.networks.heads.head import Head, HeadSettings, NetworkBelow, Reads
from graftwork.networks.heads.hidden_values import handed_on, probed

_PROBED = (512, 1024)
"""Frames of silence by which the frames of a step are found."""


@dataclass(frozen=True, kw_only=True)
class HiddenFrames(HeadSettings):
    """One linear layer from each step to the frames that it stands for. No settings."""

    name: ClassVar[str] = "hidden-frames"
    fits: ClassVar[frozenset[str]] = frozenset({"hidden_frames"})

    def build(self, network: NetworkBelow, outputs: int, spec: str) -> Head:
        read = next((name for name in network.columns if network.encoder(name).modality == "audio"), None)
        if read is None:
            raise UsageError(f"The head '{self.name}' reads sounds, and no input holds any.")
        encoder = network.encoder(read)
        frames = _frames_a_step(encoder) if isinstance(encoder, MelEncoder) else None
        if frames is None or not isinstance(encoder, MelEncoder):
            raise UsageError(
                f"The base of '{read}' does not read a spectrogram step by step, from which hidden frames are "
                "predicted. Use mel-cnn or mel-gru."
            )
        return HiddenFrameHead(read, encoder.token_width, frames, encoder.mel.mels, outputs, spec)


class HiddenFrameHead(Head):
    """Vectors of the steps (B, L, width) -> {"values": (B, T, mels), "wanted", "hidden"}: the spectrogram as the base
    levels it, and what the batch's targets say of it."""

    reads: ClassVar[Reads] = "tokens"

    def __init__(
        self, read: str, width: int, frames: int, mels: int, outputs: int, spec: str = "hidden-frames"
    ) -> None:
        super().__init__()
        self.spec, self.outputs, self.read, self.mels = spec, outputs, read, mels
        self.layer = nn.Linear(width, frames * mels)

    def forward(self, seen: Features, batch: Batch) -> dict[str, Tensor]:
        states = seen.tokens[self.read].states
        mel = self.layer(states).reshape(len(states), -1, self.mels)
        given = batch.inputs.get(self.read, {}).get("mel")
        return handed_on(mel if given is None else mel[:, : given.shape[1]], batch)

    @property
    def inputs(self) -> frozenset[str]:
        return frozenset({self.read})


def _frames_a_step(encoder: MelEncoder) -> int | None:
    """Frames that each of its tokens stands for; None where that is no whole number, the same for long and short."""
    device, found = next(encoder.parameters()).device, set[float]()
    for frames in _PROBED:
        mel = torch.zeros(1, frames, encoder.mel.mels, device=device)
        inputs = {"mel": mel, "frames": torch.tensor([frames], device=device)}
        found.add(frames / probed(encoder, inputs).states.shape[1])
    each = found.pop() if len(found) == 1 else 0.5
    return int(each) if each >= 1 and each == int(each) else None
