"""Operations on images that one strength rules, from mild to strong: shared by what draws them at random.

Source: Cubuk et al. 2020 (RandAugment), whose fourteen they are.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from graftwork.techniques.augment.geometry import warp
from graftwork.techniques.augment.pixels import enhance

Operation = Callable[[Tensor, Tensor], Tensor]
"""Images (B, 3, H, W) from 0 to 1 and a strength for each (B,), from -1 to 1; for some its sign means nothing."""


def operations() -> dict[str, Operation]:
    """The fourteen of the paper by name, at strength 1 as far as its implementations go."""
    kornia = enhance()
    return {
        "identity": lambda pixels, _: pixels,
        "autocontrast": lambda pixels, _: kornia.normalize_min_max(pixels),
        "equalize": lambda pixels, _: kornia.equalize(pixels),
        "rotate": lambda pixels, by: warp(pixels, _rotation(by * torch.pi / 6), beyond="grey"),
        "solarize": lambda pixels, by: _solarized(pixels, 1 - by.abs()),
        "posterize": lambda pixels, by: kornia.posterize(pixels, 8 - (4 * by.abs()).round().int()),
        "color": lambda pixels, by: kornia.adjust_saturation_with_gray_subtraction(pixels, 1 + 0.9 * by),
        "contrast": lambda pixels, by: kornia.adjust_contrast_with_mean_subtraction(pixels, 1 + 0.9 * by),
        "brightness": lambda pixels, by: kornia.adjust_brightness_accumulative(pixels, 1 + 0.9 * by),
        "sharpness": lambda pixels, by: kornia.sharpness(pixels, 1 + 0.9 * by),
        "shear-x": lambda pixels, by: warp(pixels, _map(len(by), (0, 1), 0.3 * by), beyond="grey"),
        "shear-y": lambda pixels, by: warp(pixels, _map(len(by), (1, 0), 0.3 * by), beyond="grey"),
        "translate-x": lambda pixels, by: warp(pixels, _map(len(by), (0, 2), 0.9 * by), beyond="grey"),
        "translate-y": lambda pixels, by: warp(pixels, _map(len(by), (1, 2), 0.9 * by), beyond="grey"),
    }


def _map(rows: int, place: tuple[int, int], value: Tensor) -> Tensor:
    """Affine maps (B, 2, 3) that change nothing but for one entry. A translation of 2 is the whole side."""
    theta = torch.eye(2, 3).repeat(rows, 1, 1)
    theta[:, place[0], place[1]] = value
    return theta


def _rotation(angle: Tensor) -> Tensor:
    theta = torch.zeros(len(angle), 2, 3)
    theta[:, 0, 0] = theta[:, 1, 1] = angle.cos()
    theta[:, 0, 1], theta[:, 1, 0] = -angle.sin(), angle.sin()
    return theta


def _solarized(pixels: Tensor, threshold: Tensor) -> Tensor:
    """Values from the threshold (B,) on are inverted."""
    return torch.where(pixels < threshold.to(pixels.device).view(-1, 1, 1, 1), pixels, 1 - pixels)
