"""The Audio Spectrogram Transformer (Gong, Chung and Glass 2021) over windows of its own length."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from graftwork.errors import ModelError
from graftwork.networks.audio.spectrogram import MelSettings
from graftwork.networks.audio.windows import WindowEncoder, Windows, refuse

PREPROCESSOR = "preprocessor_config.json"


class ASTEncoder(WindowEncoder):
    """AST: block 0 is the embedding of the patches, then a block a layer; the last norm belongs to the last one.

    Features are the mean of the two summary tokens, as the model was trained. A clip shorter than a window (10.24
    seconds for the published ones) is filled up as its feature extractor does it; a longer one makes several windows.
    """

    architecture = "ast"
    kinds = frozenset({"audio-spectrogram-transformer"})
    reads = "input_values"

    @classmethod
    def read_windows(cls, folder: Path, config: Any) -> Windows:
        if config.model_type not in cls.kinds:
            raise refuse(folder, config.model_type, cls.kinds)
        told = read_preprocessor(folder)
        rate, mels = int(told.get("sampling_rate", 16000)), int(told.get("num_mel_bins", 128))
        length = int(told.get("max_length", 1024))
        if (mels, length) != (config.num_mel_bins, config.max_length):
            raise ModelError(
                f"{folder / PREPROCESSOR} makes {length} frames of {mels} mel bins, but the model in config.json reads "
                f"{config.max_length} of {config.num_mel_bins}: they don't belong together."
            )
        mel = MelSettings(
            rate=rate,
            mels=mels,
            low=20.0,
            high=float(rate // 2),
            log="clamp",
            floor=1.192092955078125e-07,
            whole_frames=True,
            symmetric=True,
            remove_mean=True,
            preemphasis=0.97,
        )
        scaled = bool(told.get("do_normalize", True))
        mean, scale = float(told.get("mean", -4.2677393)), 2 * float(told.get("std", 4.5689974))
        return Windows(
            mel=mel,
            frames=length,
            hop=length,
            mean=mean if scaled else 0.0,
            scale=scale if scaled else 1.0,
            blank=0.0,
        )

    def blocks(self) -> list[list[nn.Module]]:
        model: Any = self.model
        layers = list(model.layers)
        return [[model.embeddings], *([layer] for layer in layers[:-1]), [layers[-1], model.layernorm]]

    def widths(self) -> list[int]:
        config: Any = self.model.config
        return [int(config.hidden_size)] * len(self.blocks())

    def enter(self, windows: Tensor) -> Tensor:
        return windows

    def summary(self, states: Tensor) -> Tensor:
        return (states[:, 0] + states[:, 1]) / 2


def read_preprocessor(folder: Path) -> dict[str, Any]:
    """The settings of the feature extractor. Raises ModelError where they are missing or can't be read."""
    file = folder / PREPROCESSOR
    if not file.is_file():
        raise ModelError(f"{folder} has no {PREPROCESSOR}: it can't be told how the model reads a sound.")
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{file} can't be read: {error}.") from None
    if not isinstance(told, dict):
        raise ModelError(f"{file} can't be read: expected an object with settings.")
    return told
