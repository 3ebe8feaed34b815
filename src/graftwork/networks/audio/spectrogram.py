"""Log-mel spectrograms in torch, so that gradients pass and the wave stays what is stored and augmented.

Each frame is cut out, windowed and transformed by itself (torch.fft.rfft of its unfolded samples): `torch.stft` can
neither take the mean out of a frame nor pre-emphasise it, as Kaldi's front end does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class MelSettings:
    """A front end. window, hop, fft: in samples. low, high: of the mel bins, in hertz.

    power: 1 for magnitudes, 2 for energies. log: "add" takes log(x + floor), "clamp" log(max(x, floor)).
    whole_frames: leave out a last frame that the sound does not fill; else it is filled with silence.
    symmetric: the Hann window of Kaldi, else the periodic one. remove_mean, preemphasis: of each frame, as in Kaldi.
    centred: frame i has its middle at sample i * hop; before the sound stands its mirror image, and a frame counts
    whose middle is within the sound. scale: of pitch, "htk" with triangles of height 1, "slaney" of one area each.
    """

    rate: int = 16000
    window: int = 400
    hop: int = 160
    fft: int = 512
    mels: int = 64
    low: float = 60.0
    high: float = 7600.0
    power: Literal[1, 2] = 2
    log: Literal["add", "clamp"] = "add"
    floor: float = 1e-6
    whole_frames: bool = False
    symmetric: bool = False
    remove_mean: bool = False
    preemphasis: float = 0.0
    centred: bool = False
    scale: Literal["htk", "slaney"] = "htk"

    def frames(self, samples: Tensor) -> Tensor:
        """Frames of sounds of these lengths (B,), at least 1."""
        if self.centred:
            return (-(-samples // self.hop)).clamp(min=1)
        beyond = samples - self.window
        hops = beyond // self.hop if self.whole_frames else -(-beyond // self.hop)
        return hops.clamp(min=0) + 1


class LogMel(nn.Module):
    """Wave to log-mel; it has no parameter."""

    taper: Tensor
    filters: Tensor

    def __init__(self, settings: MelSettings) -> None:
        super().__init__()
        self.settings = settings
        taper = np.hanning(settings.window) if settings.symmetric else np.hanning(settings.window + 1)[:-1]
        self.register_buffer("taper", torch.from_numpy(taper).float(), persistent=False)
        self.register_buffer("filters", torch.from_numpy(mel_filters(settings)).float(), persistent=False)

    def forward(self, wave: Tensor, frames: int) -> Tensor:
        """wave (B, T) from -1 to 1 -> its first `frames` frames (B, frames, mels); what it lacks for them is silence.

        Computed in float32 under autocast too: energies span more than bfloat16 tells apart.
        """
        settings = self.settings
        with torch.autocast(wave.device.type, enabled=False):
            wave = mirrored(wave.float(), settings.window // 2) if settings.centred else wave.float()
            cut = unfolded(wave, settings.window, settings.hop, frames)
            if settings.remove_mean:
                cut = cut - cut.mean(dim=2, keepdim=True)
            if settings.preemphasis:
                before = torch.cat([cut[:, :, :1], cut[:, :, :-1]], dim=2)
                cut = cut - settings.preemphasis * before
            spectrum = magnitudes(torch.fft.rfft(cut * self.taper, n=settings.fft), settings.power)
            mel = spectrum @ self.filters
            return torch.log(mel + settings.floor if settings.log == "add" else mel.clamp(min=settings.floor))

    @property
    def silence(self) -> float:
        """Log-mel of silence, in every bin."""
        return math.log(self.settings.floor)


def unfolded(wave: Tensor, window: int, hop: int, frames: int) -> Tensor:
    """The first `frames` frames of each row (B, frames, window); what the wave lacks for them is silence."""
    needed = window + hop * (frames - 1)
    padded = nn.functional.pad(wave, (0, max(0, needed - wave.shape[1])))
    return padded[:, :needed].unfold(1, window, hop)


def mirrored(wave: Tensor, samples: int) -> Tensor:
    """With so many samples of its mirror image before it; behind a sound that is shorter stands silence."""
    wave = nn.functional.pad(wave, (0, max(0, samples + 1 - wave.shape[1])))
    return torch.cat([wave[:, 1 : samples + 1].flip(1), wave], dim=1)


def magnitudes(spectrum: Tensor, power: int) -> Tensor:
    """|x| or |x|² of complex numbers; the gradient of |x| at 0 is 0 and not NaN."""
    energy = spectrum.real.square() + spectrum.imag.square()
    if power == 2:
        return energy
    zero = energy == 0
    return torch.where(zero, 1.0, energy).sqrt().masked_fill(zero, 0.0)


def mel_filters(settings: MelSettings) -> np.ndarray:
    """Shape (fft / 2 + 1, mels): multiplied by a spectrum it gives the energy of each bin. float64.

    "htk": triangles of height 1 that are straight on the mel scale, mel(f) = 1127 ln(1 + f / 700) (HTK, Kaldi).
    "slaney": triangles of one area that are straight over hertz, on a scale that is linear up to 1000 Hz (Slaney 1998,
    librosa).
    """
    hertz = np.arange(settings.fft // 2 + 1) * settings.rate / settings.fft
    if settings.scale == "htk":
        edges = np.linspace(_mel(settings.low), _mel(settings.high), settings.mels + 2)
        return _triangles(_mel(hertz), edges)
    edges = _slaney_hertz(np.linspace(_slaney_mel(settings.low), _slaney_mel(settings.high), settings.mels + 2))
    evened: np.ndarray = _triangles(hertz, edges) * 2.0 / (edges[2:] - edges[:-2])
    return evened


def _triangles(at: np.ndarray, edges: np.ndarray) -> np.ndarray:
    rising = (at[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - at[:, None]) / (edges[2:] - edges[1:-1])
    triangles: np.ndarray = np.maximum(0.0, np.minimum(rising, falling))
    return triangles


def _mel(hertz: Any) -> np.ndarray:
    return 1127.0 * np.log1p(np.asarray(hertz, float) / 700.0)


_BEND, _STEPS = 15.0, 27.0 / math.log(6.4)
"""Where the scale begins to be logarithmic, at 1000 Hz, and how steep it is from there."""


def _slaney_mel(hertz: float) -> float:
    return 3 * hertz / 200 if hertz < 1000 else _BEND + _STEPS * math.log(hertz / 1000)


def _slaney_hertz(mel: np.ndarray) -> np.ndarray:
    return np.where(mel < _BEND, 200 * mel / 3, 1000 * np.exp((mel - _BEND) / _STEPS))
