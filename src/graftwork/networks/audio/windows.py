"""Models that read a log-mel spectrogram window by window: MobileNet on patches (YAMNet), and AST.

A clip is divided into windows of one length, each goes through the model by itself, and the features of a row are the
mean over its windows, with their maximum beside it where asked.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from torch import Tensor, nn

from graftwork.data.batch import Hidden, Inputs
from graftwork.errors import ModelError, UsageError
from graftwork.networks.audio.encoder import MelEncoder, valid
from graftwork.networks.audio.spectrogram import MelSettings
from graftwork.networks.encoder import drops
from graftwork.networks.features import Tokens
from graftwork.networks.hub import loading as hub
from graftwork.networks.hub import transformers as pretrained
from graftwork.networks.windows import spread

Pooling = Literal["mean", "mean+max"]
CHUNK = 64
"""Windows that go through the model at a time where no gradient is needed: more don't fit the processor's caches."""


@dataclass(frozen=True, kw_only=True)
class Windows:
    """How a clip is divided. mel: the front end. frames: of a window. hop: frames from one window to the next.

    mean, scale: the model reads (log-mel - mean) / scale. blank: log-mel behind a row's end, before that; None for
    what the front end gives for silence.
    """

    mel: MelSettings
    frames: int
    hop: int
    mean: float = 0.0
    scale: float = 1.0
    blank: float | None = None

    def count(self, frames: Tensor) -> Tensor:
        """Windows of rows of so many frames (B,): as many as cover them all."""
        return ((frames - self.frames).clamp(min=0) + self.hop - 1) // self.hop + 1


class WindowEncoder(MelEncoder):
    """A model over windows of a spectrogram. Subclasses say how its parts follow on each other.

    layers: the features of the last so many blocks stand side by side, the lowest first.
    seconds: what a longer sound is cut to.
    """

    kinds: ClassVar[frozenset[str]]
    """Types of model, as transformers calls them, that the class can divide into blocks."""
    reads: ClassVar[str]

    def __init__(self, model: nn.Module, windows: Windows, pooling: Pooling, layers: int, seconds: float) -> None:
        super().__init__(windows.mel, seconds)
        self.model, self.windows, self.pooling, self.layers = model, windows, pooling, layers
        blocks = self.blocks()
        self.depth = len(blocks)
        if not 1 <= layers < self.depth:
            raise UsageError(f"layers is {layers}. This base has 1 to {self.depth - 1}.")
        self.hidden_width = self.widths()[-1]
        self.width = sum(self.widths()[-layers:]) * (2 if pooling == "mean+max" else 1)
        self.facts = frozenset({"linear_layers", "sequence_blocks", "spectrogram"})
        if any(drops(module) for module in model.modules()):
            self.facts |= {"dropout"}

    @classmethod
    def from_pretrained(cls, folder: Path, pooling: Pooling = "mean", layers: int = 1, seconds: float = 60.0) -> Self:
        """Load a base from a folder that holds config.json, weights and the front end's settings.

        Raises ModelError where one of them is missing or does not fit the others.
        """
        config = hub.read_config(folder)
        windows = cls.read_windows(folder, config)
        model = pretrained.load_trunk(folder, config, "sdpa", cls.reads)
        return cls(model, windows, pooling, layers, seconds)

    @classmethod
    @abstractmethod
    def read_windows(cls, folder: Path, config: Any) -> Windows:
        """The front end that the files in `folder` describe. Raises ModelError where they don't."""

    @abstractmethod
    def widths(self) -> list[int]:
        """Features that `summary` makes of each block's output."""

    @abstractmethod
    def enter(self, windows: Tensor) -> Tensor:
        """Scaled windows (N, frames, mels) as block 0 reads them."""

    @abstractmethod
    def summary(self, states: Tensor) -> Tensor:
        """A block's output (N, ...) as features of the window (N, width)."""

    # --- computation ------------------------------------------------------------------------------------------------
    def forward(self, inputs: Inputs, hidden: Hidden | None = None) -> Tensor:
        if hidden is not None and hidden.depth == self.depth:
            return hidden.states
        return self.features_and_tokens(inputs, hidden)[0]

    def features_and_tokens(self, inputs: Inputs, hidden: Hidden | None = None) -> tuple[Tensor, Tokens]:
        tokens = self.tokens_of(inputs, hidden)
        return self._pooled(tokens.states, tokens.counts), tokens

    def tokens_of(self, inputs: Inputs, hidden: Hidden | None = None) -> Tokens:
        """A vector a window."""
        counts = self.windows.count(self._frames(inputs))
        rows = valid(counts, int(counts.max()))
        start = 0 if hidden is None else hidden.depth
        if hidden is None:
            picked = self._cut(inputs, rows)
        else:
            self._check_start(start)
            picked = hidden.states[:, : rows.shape[1]][rows].reshape(-1, *self._shapes[start - 1])
        parts = [picked] if torch.is_grad_enabled() else torch.split(picked, CHUNK)
        return Tokens(spread(torch.cat([self._summaries(part, start) for part in parts]).float(), rows), rows)

    @property
    def token_width(self) -> int:
        return sum(self.widths()[-self.layers :])

    def states(self, inputs: Inputs, depth: int) -> Tensor:
        self._check_start(depth)
        counts = self.windows.count(self._frames(inputs))
        rows = valid(counts, int(counts.max()))
        picked = self._cut(inputs, rows)
        parts = [picked] if torch.is_grad_enabled() else torch.split(picked, CHUNK)
        climbed = torch.cat([self._climb(part, 0, depth).flatten(1) for part in parts])
        return spread(climbed, rows)

    def state_lengths(self, lengths: np.ndarray, depth: int) -> np.ndarray:
        samples = torch.from_numpy(np.asarray(lengths, np.int64))
        counted: np.ndarray = self.windows.count(self.mel.frames(samples)).numpy()
        return counted

    def state_width(self, depth: int) -> int:
        return int(np.prod(self._shapes[depth - 1]))

    @property
    def deepest_start(self) -> int:
        return min(self.depth - 1, self.depth - self.layers + 1)

    def train(self, mode: bool = True) -> Self:
        """As usual, but batch norms keep the statistics they were loaded with: those of a few clips are worse."""
        super().train(mode)
        for module in self.model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self

    def longest(self, frames: Tensor) -> int:
        """All windows, the last of which reaches behind the sound."""
        return self.windows.frames + self.windows.hop * (int(self.windows.count(frames).max()) - 1)

    # --- saving -----------------------------------------------------------------------------------------------------
    def config(self) -> dict[str, Any]:
        hf: Any = self.model.config
        return {
            "architecture": self.architecture,
            "model": {key: value for key, value in hf.to_dict().items() if key not in ("_name_or_path", *_LABELS)},
            "windows": asdict(self.windows),
            "pooling": self.pooling,
            "layers": self.layers,
            "seconds": self.seconds,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], folder: Path) -> Self:
        windows = Windows(**(config["windows"] | {"mel": MelSettings(**config["windows"]["mel"])}))
        model = pretrained.empty_trunk(config["model"], "sdpa")
        return cls(model, windows, config["pooling"], config["layers"], config["seconds"])

    # --- inside -----------------------------------------------------------------------------------------------------
    def _frames(self, inputs: Inputs) -> Tensor:
        return inputs["frames"] if "mel" in inputs else self.mel.frames(inputs["samples"])

    def _cut(self, inputs: Inputs, rows: Tensor) -> Tensor:
        """The windows of all rows, one behind the other; rows: which windows each row has (B, windows)."""
        given = self.spectrogram(inputs)
        mel, frames = given["mel"], given["frames"]
        blank = self.log_mel.silence if self.windows.blank is None else self.windows.blank
        lacking = self.longest(frames) - mel.shape[1]
        mel = nn.functional.pad(mel, (0, 0, 0, max(0, lacking)), value=blank)
        if self.windows.blank is not None:
            mel = mel.masked_fill(~valid(frames, mel.shape[1]).unsqueeze(2), blank)
        scaled = (mel - self.windows.mean) / self.windows.scale
        cut = scaled.unfold(1, self.windows.frames, self.windows.hop)[:, : rows.shape[1]]
        return self.enter(cut[rows].transpose(1, 2))

    def _climb(self, states: Tensor, start: int, stop: int) -> Tensor:
        for block in self.blocks()[start:stop]:
            for module in block:
                states = module(states)
        return states

    def _summaries(self, states: Tensor, start: int) -> Tensor:
        """Features of each window (N, width), from its states at depth `start`."""
        lowest = self.depth - self.layers + 1
        states = self._climb(states, start, max(start, lowest))
        found = [self.summary(states)]
        for depth in range(max(start, lowest), self.depth):
            states = self._climb(states, depth, depth + 1)
            found.append(self.summary(states))
        return torch.cat(found, dim=1)

    def _pooled(self, features: Tensor, rows: Tensor) -> Tensor:
        """Features of windows (B, windows, width), those a row lacks being 0 -> of rows (B, self.width)."""
        mean = features.sum(1) / rows.sum(1, keepdim=True)
        if self.pooling == "mean":
            return mean
        lowest = features.masked_fill(~rows.unsqueeze(2), float("-inf"))
        return torch.cat([mean, lowest.amax(1)], dim=1)

    @cached_property
    def _shapes(self) -> list[torch.Size]:
        """Of each block's output for one window."""
        device = next(self.model.parameters()).device
        found = []
        with torch.no_grad():
            states = self.enter(torch.zeros(1, self.windows.frames, self.mel.mels, device=device))
            for depth in range(self.depth):
                states = self._climb(states, depth, depth + 1)
                found.append(states.shape[1:])
        return found

    def _check_start(self, depth: int) -> None:
        if not 1 <= depth <= self.deepest_start:
            raise ValueError(f"This encoder can start at depth 1 to {self.deepest_start}, not at {depth}.")


_LABELS = ("id2label", "label2id", "architectures")


def refuse(folder: Path, kind: str, known: frozenset[str]) -> ModelError:
    return ModelError(f"{folder} is a model of the type '{kind}'. Expected one of: {', '.join(sorted(known))}.")
