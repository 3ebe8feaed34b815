"""The speaker encoder of Wan et al. (2018, generalised end-to-end loss), as resemblyzer trained it: whose voice it is.

Three LSTM layers read windows of 1.6 seconds, each gives a vector of length 1, and a clip is their mean, at length 1.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

from torch import Tensor, nn
from torch.nn import functional

from graftwork.data.batch import Inputs
from graftwork.data.store.names import check_links
from graftwork.data.store.typed import misfit
from graftwork.errors import ModelError
from graftwork.networks.audio.spectrogram import MelSettings
from graftwork.networks.audio.windows import Pooling, WindowEncoder, Windows
from graftwork.networks.hub.sizes import bounded, check_counts

KIND = "ge2e-speaker"
LOUDNESS = -30.0
"""Decibels below full scale that softer clips are brought to."""
CONFIG, WEIGHTS = "config.json", "model.safetensors"
_SIZES = ("mels", "width", "layers", "embedding", "rate", "window", "hop", "frames", "step")


class SpeakerEncoder(WindowEncoder):
    """A block a layer; the last one also makes the vector of a window. It reads energies, not their logarithm."""

    architecture = "ge2e-speaker"
    kinds = frozenset({KIND})

    def __init__(self, model: nn.Module, windows: Windows, layers: int, seconds: float) -> None:
        super().__init__(model, windows, "mean", layers, seconds)

    @classmethod
    def from_pretrained(cls, folder: Path, pooling: Pooling = "mean", layers: int = 1, seconds: float = 60.0) -> Self:
        """Load a base from a folder with config.json and weights. pooling: without effect, a voice is always a mean.

        Raises ModelError where one of them is missing, or they don't fit each other.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        check_links(folder)
        sizes = _sizes(folder / CONFIG)
        windows = cls.read_windows(folder, sizes)
        try:
            with bounded(folder / CONFIG, [folder / WEIGHTS]):
                model = _Speaker(sizes["mels"], sizes["width"], sizes["layers"], sizes["embedding"])
            weights = load_file(folder / WEIGHTS)
            model.load_state_dict({_renamed(name): tensor.float() for name, tensor in weights.items()})
        except (OSError, SafetensorError, RuntimeError) as error:
            reason = " ".join(str(error).split())[:200]
            raise ModelError(f"The weights in {folder / WEIGHTS} can't be used with its {CONFIG}: {reason}.") from None
        return cls(model.eval(), windows, layers, seconds)

    @classmethod
    def read_windows(cls, folder: Path, config: Any) -> Windows:
        window = config["window"]
        mel = MelSettings(
            rate=config["rate"],
            window=window,
            hop=config["hop"],
            fft=window,
            mels=config["mels"],
            low=0.0,
            high=config["rate"] / 2,
            log="clamp",
            floor=1e-10,
            centred=True,
            scale="slaney",
        )
        return Windows(mel=mel, frames=config["frames"], hop=config["step"])

    def spectrogram(self, inputs: Inputs) -> Inputs:
        return super().spectrogram(inputs if "mel" in inputs else inputs | {"wave": _louder(inputs)})

    def blocks(self) -> list[list[nn.Module]]:
        layers = list(self._speaker.layers)
        return [*([layer] for layer in layers[:-1]), [layers[-1], self._speaker.embed]]

    def widths(self) -> list[int]:
        sizes = self._speaker.sizes
        return [*[sizes["width"]] * (sizes["layers"] - 1), sizes["embedding"]]

    def enter(self, windows: Tensor) -> Tensor:
        return windows.exp()

    def summary(self, states: Tensor) -> Tensor:
        """Of lower layers what they end with."""
        return functional.normalize(states if states.dim() == 2 else states[:, -1], dim=1)

    def config(self) -> dict[str, Any]:
        return {
            "architecture": self.architecture,
            "model": self._speaker.sizes,
            "windows": asdict(self.windows),
            "layers": self.layers,
            "seconds": self.seconds,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], folder: Path) -> Self:
        windows = Windows(**(config["windows"] | {"mel": MelSettings(**config["windows"]["mel"])}))
        return cls(_Speaker(**config["model"]).eval(), windows, config["layers"], config["seconds"])

    def _pooled(self, features: Tensor, rows: Tensor) -> Tensor:
        return functional.normalize(super()._pooled(features, rows), dim=1)

    @property
    def _speaker(self) -> _Speaker:
        assert isinstance(self.model, _Speaker)
        return self.model


class _Speaker(nn.Module):
    def __init__(self, mels: int, width: int, layers: int, embedding: int) -> None:
        super().__init__()
        self.sizes = {"mels": mels, "width": width, "layers": layers, "embedding": embedding}
        self.layers = nn.ModuleList(_Layer(mels if at == 0 else width, width) for at in range(layers))
        self.embed = _Embed(width, embedding)


class _Layer(nn.LSTM):
    """(N, frames, inputs) -> (N, frames, width)"""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__(inputs, width, batch_first=True)

    def forward(self, states: Tensor) -> Tensor:  # type: ignore[override]
        read: Tensor = super().forward(states)[0]
        return read


class _Embed(nn.Module):
    """What the last layer ends with (N, frames, width) -> (N, embedding), 0 or more."""

    def __init__(self, width: int, embedding: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, embedding)

    def forward(self, states: Tensor) -> Tensor:
        return functional.relu(self.linear(states[:, -1]))


def _louder(inputs: Inputs) -> Tensor:
    """The wave (B, T), softer clips made as loud as LOUDNESS, louder ones as they are."""
    wave = inputs["wave"]
    energy = wave.square().sum(1, keepdim=True) / inputs["samples"].clamp(min=1).unsqueeze(1)
    wanted = 10 ** (LOUDNESS / 10)
    return wave * (wanted / energy.clamp(min=1e-12)).sqrt().clamp(min=1.0)


def _renamed(name: str) -> str:
    """In the file the layers are one LSTM, whose tensors end with the number of their layer."""
    if name.startswith("lstm."):
        kind, _, layer = name.removeprefix("lstm.").rpartition("_l")
        return f"layers.{layer}.{kind}_l0"
    return f"embed.{name}"


def _sizes(file: Path) -> dict[str, int]:
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{file} can't be read: {error}.") from None
    check_counts(told, f"{file} can't be used")
    sizes: dict[str, int] = {name: told.get(name, 0) for name in _SIZES} if isinstance(told, dict) else {}
    wrong = misfit(sizes, dict[str, int]) or next((f"{name} {size}" for name, size in sizes.items() if size < 1), "")
    if wrong or not sizes:
        raise ModelError(f"{file} is damaged: expected whole numbers from 1 on, found {wrong or repr(told)[:40]}.")
    return sizes
