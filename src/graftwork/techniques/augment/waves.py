"""Sounds as audio encoders read them: {"wave": (B, T) from -1 to 1, "samples": (B,) how many are each row's own}."""

from __future__ import annotations

import torch
from torch import Tensor

from graftwork.data.batch import Inputs


def wave_of(inputs: Inputs) -> Tensor:
    """The waves (B, T). A technique that makes spectrograms of them comes after all that change the wave."""
    if "wave" not in inputs:
        raise ValueError("The wave has been made a spectrogram before a technique that changes the wave.")
    return inputs["wave"]


def samples_of(inputs: Inputs) -> Tensor:
    return inputs["samples"]


def own(wave: Tensor, samples: Tensor) -> Tensor:
    """Which samples (B, T) are each row's own, and not the silence behind it."""
    return torch.arange(wave.shape[1], device=wave.device) < samples.unsqueeze(1)


def rolled(wave: Tensor, samples: Tensor, by: Tensor) -> Tensor:
    """wave (B, T) moved in time by so many samples (B,) within each row's own; what leaves at one end comes in at the
    other, and the silence behind stays."""
    at = torch.arange(wave.shape[1], device=wave.device).expand_as(wave)
    length = samples.clamp(min=1).unsqueeze(1)
    source = torch.where(at < length, (at - by.to(wave.device).unsqueeze(1)) % length, at)
    return wave.gather(1, source)
