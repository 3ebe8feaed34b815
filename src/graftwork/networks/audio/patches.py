"""MobileNets over log-mel patches, as YAMNet is (Gemmeke et al. 2017; Howard et al. 2017).

`frontend.json` beside the weights says how a sound becomes patches.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from graftwork.errors import ModelError
from graftwork.networks.audio.spectrogram import MelSettings
from graftwork.networks.audio.windows import WindowEncoder, Windows, refuse

FRONTEND = "frontend.json"
_NUMBERS = (
    *("sampling_rate", "window_seconds", "hop_seconds", "fft_length", "mel_bins", "mel_min_hz", "mel_max_hz"),
    *("log_offset", "patch_frames", "patch_hop_frames"),
)


class PatchEncoder(WindowEncoder):
    """MobileNetV1 or V2 over patches (N, 1, frames, mels). Block 0 is the stem; a block of V1 is a depthwise and a
    pointwise convolution. Features of a block are the means of its channels over the patch."""

    architecture = "patches"
    kinds = frozenset({"mobilenet_v1", "mobilenet_v2"})
    reads = "pixel_values"

    @classmethod
    def read_windows(cls, folder: Path, config: Any) -> Windows:
        if config.model_type not in cls.kinds:
            raise refuse(folder, config.model_type, cls.kinds)
        if config.num_channels != 1:
            raise ModelError(
                f"The model in {folder} reads {config.num_channels} channels; a spectrogram has 1. "
                f"Is {FRONTEND} in the right folder?"
            )
        return read_frontend(folder / FRONTEND)

    def blocks(self) -> list[list[nn.Module]]:
        model: Any = self.model
        layers = list(model.layer)
        pairs = 2 if model.config.model_type == "mobilenet_v1" else 1
        blocks = [layers[at : at + pairs] for at in range(0, len(layers), pairs)]
        behind = [model.conv_1x1] if hasattr(model, "conv_1x1") else []
        return [[model.conv_stem], *blocks[:-1], [*blocks[-1], *behind]]

    def widths(self) -> list[int]:
        return [_channels(block[-1]) for block in self.blocks()]

    def enter(self, windows: Tensor) -> Tensor:
        return windows.unsqueeze(1)

    def summary(self, states: Tensor) -> Tensor:
        return states.mean(dim=(2, 3))


def read_frontend(file: Path) -> Windows:
    """The front end that a `frontend.json` describes. Raises ModelError for one that is broken or not known here."""
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        numbers = {name: float(told[name]) for name in _NUMBERS}
        window, spectrogram, scale = (str(told[name]).lower() for name in ("window", "spectrogram", "mel_scale"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{file} can't be used: {type(error).__name__} {error}.") from None
    if "hann" not in window:
        raise ModelError(f"{file}: the window '{told['window']}' is not known. Expected a Hann window.")
    if "htk" not in scale or "not area-normalised" not in scale:
        raise ModelError(
            f"{file}: the mel scale '{told['mel_scale']}' is not known. Expected HTK, triangles in mel space, not "
            "area-normalised."
        )
    rate = int(numbers["sampling_rate"])
    mel = MelSettings(
        rate=rate,
        window=round(numbers["window_seconds"] * rate),
        hop=round(numbers["hop_seconds"] * rate),
        fft=int(numbers["fft_length"]),
        mels=int(numbers["mel_bins"]),
        low=numbers["mel_min_hz"],
        high=numbers["mel_max_hz"],
        power=1 if spectrogram.startswith("magnitude") else 2,
        floor=numbers["log_offset"],
        symmetric="periodic" not in window,
    )
    if not 0 < mel.hop <= mel.window <= mel.fft or not 0 <= mel.low < mel.high <= rate / 2 or mel.floor <= 0:
        raise ModelError(
            f"{file}: these numbers don't fit each other. Expected 0 < hop <= window <= fft_length, a "
            "range of mel bins below half the sampling rate, and a log_offset above 0."
        )
    return Windows(mel=mel, frames=int(numbers["patch_frames"]), hop=int(numbers["patch_hop_frames"]))


def _channels(module: nn.Module) -> int:
    convolutions = [part for part in module.modules() if isinstance(part, nn.Conv2d)]
    return convolutions[-1].out_channels
