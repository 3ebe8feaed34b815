"""A recurrent network over the log-mel spectrogram, trained from scratch (Cho et al. 2014; both directions)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from graftwork.data.batch import Hidden, Inputs
from graftwork.networks.audio.encoder import MelEncoder, valid
from graftwork.networks.audio.mel_cnn import levelled
from graftwork.networks.audio.spectrogram import MelSettings
from graftwork.networks.features import Tokens
from graftwork.networks.pooling import pool

STEP = 4
"""Neighbouring frames that one step of the network reads."""


class MelGRUEncoder(MelEncoder):
    """Block 0 projects 4 frames at a time, then `layers` bidirectional layers; mean and maximum over the steps.

    width: of the projection and each layer (half for each direction), even; features are 2 * width wide.
    """

    architecture = "mel-gru"

    def __init__(self, settings: MelSettings, width: int, layers: int, dropout: float, seconds: float) -> None:
        super().__init__(settings, seconds)
        self.dropout, self.depth, self.hidden_width, self.width = dropout, layers + 1, width, 2 * width
        self.projection = nn.Linear(STEP * settings.mels, width)
        self.norm = nn.LayerNorm(width)
        self.layers = nn.ModuleList(
            nn.GRU(width, width // 2, batch_first=True, bidirectional=True) for _ in range(layers)
        )
        self.drops = nn.ModuleList(nn.Dropout(dropout) for _ in range(self.depth))
        found = {"linear_layers", "sequence_blocks", "spectrogram"} | ({"dropout"} if dropout else set())
        self.facts = frozenset(found)

    def forward(self, inputs: Inputs, hidden: Hidden | None = None) -> Tensor:
        if hidden is not None and hidden.depth == self.depth:
            return hidden.states
        return self.features_and_tokens(inputs, hidden)[0]

    def features_and_tokens(self, inputs: Inputs, hidden: Hidden | None = None) -> tuple[Tensor, Tokens]:
        tokens = self.tokens_of(inputs, hidden)
        pooled = [pool(tokens.states, tokens.counts, "mean"), pool(tokens.states, tokens.counts, "max")]
        return torch.cat(pooled, dim=1), tokens

    def tokens_of(self, inputs: Inputs, hidden: Hidden | None = None) -> Tokens:
        """A vector a step of the last layer."""
        steps = self._steps(inputs)
        start, below = (1, self._entered(inputs)) if hidden is None else (hidden.depth, hidden.states)
        states = self._climb(below, steps, start, self.depth)
        return Tokens(states, valid(steps, states.shape[1]))

    @property
    def token_width(self) -> int:
        return self.hidden_width

    def states(self, inputs: Inputs, depth: int) -> Tensor:
        return self._climb(self._entered(inputs), self._steps(inputs), 1, depth)

    def state_lengths(self, lengths: np.ndarray, depth: int) -> np.ndarray:
        samples = torch.from_numpy(np.asarray(lengths, np.int64))
        counted: np.ndarray = (-(-self.mel.frames(samples) // STEP)).numpy()
        return counted

    def blocks(self) -> list[list[nn.Module]]:
        above = zip(self.layers, self.drops[1:], strict=True)
        return [[self.projection, self.norm, self.drops[0]], *([layer, drop] for layer, drop in above)]

    def config(self) -> dict[str, Any]:
        return {
            "architecture": self.architecture,
            "mel": vars(self.mel),
            "width": self.hidden_width,
            "layers": self.depth - 1,
            "dropout": self.dropout,
            "seconds": self.seconds,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], folder: Path) -> MelGRUEncoder:
        mel = MelSettings(**config["mel"])
        return cls(mel, config["width"], config["layers"], config["dropout"], config["seconds"])

    def _steps(self, inputs: Inputs) -> Tensor:
        frames = inputs["frames"] if "mel" in inputs else self.mel.frames(inputs["samples"])
        return -(-frames // STEP)

    def _entered(self, inputs: Inputs) -> Tensor:
        """States behind block 0 (B, steps, width)."""
        given = self.spectrogram(inputs)
        mel = levelled(given["mel"], given["frames"])
        mel = functional.pad(mel, (0, 0, 0, -mel.shape[1] % STEP))
        stacked = mel.reshape(len(mel), -1, STEP * self.mel.mels)
        entered: Tensor = self.drops[0](functional.gelu(self.norm(self.projection(stacked))))
        return entered

    def _climb(self, states: Tensor, steps: Tensor, start: int, stop: int) -> Tensor:
        lengths = steps.cpu()
        for layer, drop in zip(self.layers[start - 1 : stop - 1], self.drops[start:stop], strict=True):
            packed = pack_padded_sequence(states, lengths, batch_first=True, enforce_sorted=False)
            padded, _ = pad_packed_sequence(layer(packed)[0], batch_first=True, total_length=states.shape[1])
            states = drop(padded)
        return states
