"""A small convolutional network over the log-mel spectrogram, trained from scratch: the default for sounds.

Residual stages that halve time and pitch (He et al. 2016) with layer norm over the channels instead of batch norm, so
that neither the other clips of a batch nor its padding has an influence; mean and maximum over time, band by band.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from graftwork.data.batch import Hidden, Inputs
from graftwork.networks.audio.encoder import MelEncoder, valid
from graftwork.networks.audio.spectrogram import MelSettings
from graftwork.networks.features import Tokens


class MelCNNEncoder(MelEncoder):
    """`layers` stages, each a block; the first one is the stem. All but the stem also have a residual convolution.

    width: channels of the stem; each stage has twice as many as the one below. dropout: of whole channels, behind each
    stage. Features: mean and maximum over time of every channel in every band of pitch that is left.
    """

    architecture = "mel-cnn"

    def __init__(self, settings: MelSettings, width: int, layers: int, dropout: float, seconds: float) -> None:
        super().__init__(settings, seconds)
        self.channels, self.dropout, self.depth = width, dropout, layers
        widths = [width * 2**stage for stage in range(layers)]
        self.stages = nn.ModuleList(
            _Stage(below, above, residual=stage > 0)
            for stage, (below, above) in enumerate(zip([1, *widths[:-1]], widths, strict=True))
        )
        self.drops = nn.ModuleList(nn.Dropout2d(dropout) for _ in range(layers))
        self.hidden_width = widths[-1]
        self.width = 2 * widths[-1] * math.ceil(settings.mels / 2**layers)
        self.facts = frozenset({"linear_layers", "spectrogram"} | ({"dropout"} if dropout else set()))

    def forward(self, inputs: Inputs, hidden: Hidden | None = None) -> Tensor:
        if hidden is not None and hidden.depth == self.depth:
            return hidden.states
        states, frames = self._climb(inputs, self.depth)
        own = valid(frames, states.shape[2])[:, None, :, None]
        mean = states.sum(2) / frames[:, None, None]
        highest = states.masked_fill(~own, float("-inf")).amax(2)
        return torch.cat([mean.flatten(1), highest.flatten(1)], dim=1)

    def tokens_of(self, inputs: Inputs, hidden: Hidden | None = None) -> Tokens:
        """A vector a frame of the last stage: the channels of every band."""
        states, frames = self._climb(inputs, self.depth)
        return Tokens(states.transpose(1, 2).flatten(2), valid(frames, states.shape[2]))

    @property
    def token_width(self) -> int:
        return self.width // 2

    def states(self, inputs: Inputs, depth: int) -> Tensor:
        """(B, frames, channels x bands), for the curious: the forward can't start from them."""
        states, _ = self._climb(inputs, depth)
        return states.transpose(1, 2).flatten(2)

    def blocks(self) -> list[list[nn.Module]]:
        return [[stage, drop] for stage, drop in zip(self.stages, self.drops, strict=True)]

    def config(self) -> dict[str, Any]:
        return {
            "architecture": self.architecture,
            "mel": vars(self.mel),
            "width": self.channels,
            "layers": self.depth,
            "dropout": self.dropout,
            "seconds": self.seconds,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], folder: Path) -> MelCNNEncoder:
        mel = MelSettings(**config["mel"])
        return cls(mel, config["width"], config["layers"], config["dropout"], config["seconds"])

    def _climb(self, inputs: Inputs, depth: int) -> tuple[Tensor, Tensor]:
        """States (B, channels, frames, bands) behind the first `depth` stages, and how many frames are each row's."""
        given = self.spectrogram(inputs)
        frames = given["frames"]
        states = levelled(given["mel"], frames).unsqueeze(1)
        for stage, drop in zip(self.stages[:depth], self.drops[:depth], strict=True):
            frames = (frames + 1) // 2
            states = drop(stage(states, frames))
        return states, frames


class _Stage(nn.Module):
    """Half as many frames and bands, more channels; zeros behind each row's frames, as at the edges."""

    def __init__(self, below: int, above: int, *, residual: bool) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(below, above, 3, stride=2, padding=1)
        self.norm = nn.LayerNorm(above)
        self.inner = nn.Conv2d(above, above, 3, padding=1) if residual else None
        self.inner_norm = nn.LayerNorm(above) if residual else None

    def forward(self, states: Tensor, frames: Tensor) -> Tensor:
        """states (B, below, T, bands) -> (B, above, T / 2, bands / 2); frames: of each row, halved already."""
        reduced = self.reduce(states)
        own = valid(frames, reduced.shape[2])[:, None, :, None]
        reduced = functional.gelu(_over_channels(self.norm, reduced)) * own
        if self.inner is None or self.inner_norm is None:
            return reduced
        answer = functional.gelu(_over_channels(self.inner_norm, self.inner(reduced)))
        summed: Tensor = (reduced + answer) * own
        return summed


def _over_channels(norm: nn.Module, states: Tensor) -> Tensor:
    normed: Tensor = norm(states.movedim(1, -1)).movedim(-1, 1)
    return normed


def levelled(mel: Tensor, frames: Tensor) -> Tensor:
    """Log-mel (B, frames, mels) with mean 0 and variance 1 over each clip's own frames, zeros behind them.

    So a clip's loudness has no influence. A clip of silence is 0 everywhere.
    """
    own = valid(frames, mel.shape[1]).unsqueeze(2)
    count = (frames * mel.shape[2])[:, None, None]
    mean = (mel * own).sum((1, 2), keepdim=True) / count
    centred = (mel - mean) * own
    variance = centred.square().sum((1, 2), keepdim=True) / count
    return centred / (variance + 1e-2).sqrt()
