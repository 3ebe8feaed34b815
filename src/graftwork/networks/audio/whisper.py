"""The encoder of Whisper (Radford et al. 2022), which computes as many positions as a clip has.

Whisper fills every clip up to 30 seconds of silence. Here the positions end with the clip, so that a second of sound
costs a thirtieth; what stands behind a clip is neither computed nor attended to.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from graftwork.data.batch import Hidden, Inputs
from graftwork.errors import ModelError, UsageError
from graftwork.networks.audio.ast import PREPROCESSOR, read_preprocessor
from graftwork.networks.audio.encoder import MelEncoder, valid
from graftwork.networks.audio.spectrogram import MelSettings
from graftwork.networks.audio.windows import Pooling, refuse
from graftwork.networks.features import Tokens
from graftwork.networks.hub import loading as hub
from graftwork.networks.hub import speech
from graftwork.networks.pooling import pool
from graftwork.networks.windows import spread

KIND = "whisper"
LONGEST = 60.0
"""Seconds that a longer clip is cut to, where nothing else is asked for."""
RANGE = 8.0
"""Powers of ten that the spectrogram spans: what is softer than the loudest by more is cut off."""


class WhisperEncoder(MelEncoder):
    """Block 0 is the two convolutions with the positions, then one block a layer; the last norm is the last one's.

    Features are means over the clip's own positions (50 a second), `layers` layers side by side; their maximum beside
    them with pooling `mean+max`. A clip that is longer than the model's positions is read in windows of that length.
    seconds: what a longer one is cut to.
    """

    architecture = "whisper"

    def __init__(self, model: nn.Module, mel: MelSettings, pooling: Pooling, layers: int, seconds: float) -> None:
        super().__init__(mel, seconds)
        held: Any = model
        self.register_buffer("positions", held.embed_positions.weight.detach().clone())
        del held.embed_positions  # they are a table of sines, which nothing trains
        self.model, self.pooling, self.layers = model, pooling, layers
        self.depth = len(self._stack) + 1
        if not 1 <= layers < self.depth:
            raise UsageError(f"layers is {layers}. This base has 1 to {self.depth - 1}.")
        self.hidden_width = int(self.positions.shape[1])
        self.width = layers * self.hidden_width * (2 if pooling == "mean+max" else 1)
        config = self.hf_config
        dropped = config.dropout or config.attention_dropout or config.activation_dropout
        self.facts = frozenset(
            {"linear_layers", "sequence_blocks", "spectrogram"} | ({"dropout"} if dropped else set())
        )

    positions: Tensor

    @classmethod
    def from_pretrained(
        cls,
        folder: Path,
        pooling: Pooling = "mean",
        layers: int = 1,
        seconds: float = LONGEST,
        depth: int | None = None,
    ) -> Self:
        """Load a base from a folder with config.json, preprocessor_config.json and weights, of the encoder at least.

        depth: how many of its layers are kept, from below; none for all.
        Raises ModelError where the files are incomplete, of another kind, or do not fit each other; UsageError for more
        layers than it has.
        """
        config = hub.read_config(folder)
        if config.model_type != KIND:
            raise refuse(folder, config.model_type, frozenset({KIND}))
        mel = _front_end(folder, config)
        model: Any = speech.load_encoder(folder, config)
        if depth is not None:
            if not 1 <= depth <= len(model.layers):
                raise UsageError(f"depth is {depth}. This base has 1 to {len(model.layers)} layers.")
            del model.layers[depth:]
            model.config.encoder_layers = depth
        return cls(model, mel, pooling, layers, seconds)

    # --- computation ------------------------------------------------------------------------------------------------
    def forward(self, inputs: Inputs, hidden: Hidden | None = None) -> Tensor:
        if hidden is not None and hidden.depth == self.depth:
            return hidden.states
        return self.features_and_tokens(inputs, hidden)[0]

    def features_and_tokens(self, inputs: Inputs, hidden: Hidden | None = None) -> tuple[Tensor, Tokens]:
        counts = self._counts(inputs)
        start, states = self._started(inputs, hidden)
        own = valid(counts, states.shape[1])
        found = []
        for depth in range(max(start, self.depth - self.layers + 1), self.depth + 1):
            states = self._climb(states, counts, start, depth)
            found.append(states.float())
            start = depth
        kinds: Iterable[Any] = ("mean", "max") if self.pooling == "mean+max" else ("mean",)
        features = torch.cat([pool(one, own, kind) for kind in kinds for one in found], dim=1)
        return features, Tokens(states, own)

    def tokens_of(self, inputs: Inputs, hidden: Hidden | None = None) -> Tokens:
        """The last layer's output, a vector a position, whatever `layers` is."""
        counts = self._counts(inputs)
        start, states = self._started(inputs, hidden)
        return Tokens(self._climb(states, counts, start, self.depth), valid(counts, states.shape[1]))

    @property
    def token_width(self) -> int:
        return self.hidden_width

    def states(self, inputs: Inputs, depth: int) -> Tensor:
        self._check_start(depth)
        return self._climb(self._entered(inputs), self._counts(inputs), 1, depth)

    def state_lengths(self, lengths: np.ndarray, depth: int) -> np.ndarray:
        samples = torch.from_numpy(np.asarray(lengths, np.int64))
        counted: np.ndarray = _halved(self.mel.frames(samples)).numpy()
        return counted

    @property
    def deepest_start(self) -> int:
        return min(self.depth - 1, self.depth - self.layers + 1)

    def longest(self, frames: Tensor) -> int:
        """Whole windows, or of clips within one window two frames more than they have: the convolutions look ahead."""
        window = 2 * len(self.positions)
        longest = int(frames.max())
        return min(longest + 2, window) if longest <= window else -(-longest // window) * window

    def blocks(self) -> list[list[nn.Module]]:
        model: Any = self.model
        layers = list(self._stack)
        return [[model.conv1, model.conv2], *([layer] for layer in layers[:-1]), [layers[-1], model.layer_norm]]

    # --- saving -----------------------------------------------------------------------------------------------------
    @property
    def hf_config(self) -> Any:
        model: Any = self.model
        return model.config

    def config(self) -> dict[str, Any]:
        left_out = ("_name_or_path", "id2label", "label2id", "architectures", "dtype")
        return {
            "architecture": self.architecture,
            "model": {key: value for key, value in self.hf_config.to_dict().items() if key not in left_out},
            "mel": asdict(self.mel),
            "pooling": self.pooling,
            "layers": self.layers,
            "seconds": self.seconds,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], folder: Path) -> Self:
        model = speech.empty_encoder(config["model"])
        return cls(model, MelSettings(**config["mel"]), config["pooling"], config["layers"], config["seconds"])

    # --- inside -----------------------------------------------------------------------------------------------------
    @property
    def _stack(self) -> nn.ModuleList:
        layers = self.model.get_submodule("layers")
        assert isinstance(layers, nn.ModuleList)
        return layers

    def _counts(self, inputs: Inputs) -> Tensor:
        """Positions of each row (B,)."""
        return _halved(inputs["frames"] if "mel" in inputs else self.mel.frames(inputs["samples"]))

    def _started(self, inputs: Inputs, hidden: Hidden | None) -> tuple[int, Tensor]:
        if hidden is None:
            return 1, self._entered(inputs)
        self._check_start(hidden.depth)
        return hidden.depth, hidden.states

    def _entered(self, inputs: Inputs) -> Tensor:
        """States behind block 0 (B, positions, width)."""
        given, counts, model = self.spectrogram(inputs), self._counts(inputs), self._model
        rows, mel = self._rows(counts), scaled(given["mel"])
        windows = mel if rows is None else cut(mel, rows, 2 * len(self.positions))
        convolved = functional.gelu(model.conv2(functional.gelu(model.conv1(windows.transpose(1, 2))))).transpose(1, 2)
        placed = convolved[:, : len(self.positions)] + self.positions[: convolved.shape[1]]
        entered = functional.dropout(placed, self.hf_config.dropout, self.training)
        return (entered if rows is None else joined(entered, rows))[:, : int(counts.max())]

    def _climb(self, states: Tensor, counts: Tensor, start: int, stop: int) -> Tensor:
        """States (B, length, width) behind `start` blocks -> behind `stop`."""
        if start == stop:
            return states
        rows, size = self._rows(counts), len(self.positions)
        if rows is None:
            windows, held = states, counts
        else:
            begin = size * torch.arange(rows.shape[1], device=counts.device)
            windows, held = cut(states, rows, size), (counts.unsqueeze(1) - begin)[rows].clamp(max=size)
        own = valid(held, windows.shape[1])
        mask = None if bool(own.all()) else own[:, None, None, :]
        for layer in self._stack[start - 1 : stop - 1]:
            windows = layer(windows, mask)
        if stop == self.depth:
            windows = self._model.layer_norm(windows)
        return windows if rows is None else joined(windows, rows)[:, : states.shape[1]]

    def _rows(self, counts: Tensor) -> Tensor | None:
        """Which windows each row has (B, windows); None where all are within one."""
        needed = -(-counts // len(self.positions))
        most = int(needed.max())
        return valid(needed, most) if most > 1 else None

    @property
    def _model(self) -> Any:
        return self.model

    def _check_start(self, depth: int) -> None:
        if not 1 <= depth <= self.deepest_start:
            raise ValueError(f"This encoder can start at depth 1 to {self.deepest_start}, not at {depth}.")


def scaled(mel: Tensor) -> Tensor:
    """Natural log-mel (B, frames, bins) as Whisper reads it: powers of ten, at most 8 below the clip's loudest, about
    from -1 to 1."""
    powers = mel / math.log(10.0)
    loudest = powers.amax((1, 2), keepdim=True)
    return (torch.maximum(powers, loudest - RANGE) + 4.0) / 4.0


def cut(sequence: Tensor, rows: Tensor, size: int) -> Tensor:
    """Windows of `size` (N, size, W) of a sequence (B, L, W), those that `rows` (B, windows) marks."""
    whole = size * rows.shape[1]
    padded = functional.pad(sequence, (0, 0, 0, max(0, whole - sequence.shape[1])))[:, :whole]
    return padded.reshape(*rows.shape, size, -1)[rows]


def joined(windows: Tensor, rows: Tensor) -> Tensor:
    """The windows at their places again (B, windows * size, W)."""
    return spread(windows.flatten(1), rows).reshape(len(rows), -1, windows.shape[2])


def _halved(frames: Tensor) -> Tensor:
    return -(-frames // 2)


_USUAL = {"sampling_rate": 16000, "hop_length": 160, "feature_size": 80, "chunk_length": 30, "n_fft": 400}


def _front_end(folder: Path, config: Any) -> MelSettings:
    """What `preprocessor_config.json` says of the spectrogram. Raises ModelError where the model reads another one."""
    told = read_preprocessor(folder)
    rate, hop, bins, seconds, window = (int(told.get(name, usual)) for name, usual in _USUAL.items())
    frames = seconds * rate // hop
    if (bins, frames) != (config.num_mel_bins, 2 * config.max_source_positions):
        raise ModelError(
            f"{folder / PREPROCESSOR} makes {frames} frames of {bins} mel bins, but the model in config.json reads "
            f"{2 * config.max_source_positions} of {config.num_mel_bins}: they don't belong together."
        )
    return MelSettings(
        rate=rate,
        window=window,
        hop=hop,
        fft=window,
        mels=bins,
        low=0.0,
        high=min(8000.0, rate / 2),
        log="clamp",
        floor=1e-10,
        centred=True,
        scale="slaney",
    )
