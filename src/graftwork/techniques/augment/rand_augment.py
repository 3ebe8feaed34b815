"""RandAugment: a few operations on each image, drawn from fourteen, all at one strength.

Two numbers instead of a policy that is searched for. It regularises strongly: good for photos and long training from
scratch; in short runs, on small networks and on tiny or grey images it may cost more than it brings. Some operations
move what is in the image, some change its colours: where either has a meaning, choose `crop` or `colour` by themselves.

Source: Cubuk et al. 2020 (RandAugment).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from graftwork.data.batch import Inputs
from graftwork.data.table import Modality
from graftwork.networks.encoder import Encoder
from graftwork.techniques.augment.geometry import warp
from graftwork.techniques.augment.inputs import Augmentation, Change, chance
from graftwork.techniques.augment.pixels import check_installed, enhance, one_thread
from graftwork.techniques.checks import check_range

Operation = Callable[[Tensor, Tensor], Tensor]
"""Images (B, 3, H, W) from 0 to 1 and a strength for each (B,), from -1 to 1; for some its sign means nothing."""
STRONGEST = 30.0


def operations() -> dict[str, Operation]:
    """The fourteen of the paper by name, at strength 1 as far as its implementations go."""
    kornia = enhance()
    return {
        "identity": lambda pixels, _: pixels,
        "autocontrast": lambda pixels, _: kornia.normalize_min_max(pixels),
        "equalize": lambda pixels, _: kornia.equalize(pixels),
        "rotate": lambda pixels, by: warp(pixels, _rotation(by * torch.pi / 6), grey=True),
        "solarize": lambda pixels, by: _solarized(pixels, 1 - by.abs()),
        "posterize": lambda pixels, by: kornia.posterize(pixels, 8 - (4 * by.abs()).round().int()),
        "color": lambda pixels, by: kornia.adjust_saturation_with_gray_subtraction(pixels, 1 + 0.9 * by),
        "contrast": lambda pixels, by: kornia.adjust_contrast_with_mean_subtraction(pixels, 1 + 0.9 * by),
        "brightness": lambda pixels, by: kornia.adjust_brightness_accumulative(pixels, 1 + 0.9 * by),
        "sharpness": lambda pixels, by: kornia.sharpness(pixels, 1 + 0.9 * by),
        "shear-x": lambda pixels, by: warp(pixels, _map(len(by), (0, 1), 0.3 * by), grey=True),
        "shear-y": lambda pixels, by: warp(pixels, _map(len(by), (1, 0), 0.3 * by), grey=True),
        "translate-x": lambda pixels, by: warp(pixels, _map(len(by), (0, 2), 0.9 * by), grey=True),
        "translate-y": lambda pixels, by: warp(pixels, _map(len(by), (1, 2), 0.9 * by), grey=True),
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


@dataclass(frozen=True)
class RandAugment(Augmentation):
    """Do `ops` operations to each image, one after the other, each drawn by itself.

    ops: how many, at least 0; 0 is off.
    magnitude: how strong they are, from 0 to 30. Some (equalize, autocontrast) know no strength and act at 0 too.
    """

    ops: int = 2
    magnitude: float = 9.0

    name: ClassVar[str] = "rand-augment"
    summary: ClassVar[str] = "a few random operations on each image (RandAugment)"
    modality: ClassVar[Modality] = "image"
    moves: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_range(self.name, "ops", self.ops, 0, 14)
        check_range(self.name, "magnitude", self.magnitude, 0.0, STRONGEST)

    @property
    def off(self) -> bool:
        return self.ops == 0

    def change(self, encoder: Encoder) -> Change:  # noqa: ARG002
        check_installed(self.name)
        known = list(operations().values())

        def change(inputs: Inputs, generator: torch.Generator) -> Inputs:
            pixels = inputs["pixels"].clone()
            rows = len(pixels)
            with one_thread():
                for _ in range(self.ops):
                    drawn = torch.randint(len(known), (rows,), generator=generator)
                    signs = torch.where(chance(rows, 0.5, generator), 1.0, -1.0)
                    for index in sorted(set(drawn.tolist())):
                        at = (drawn == index).nonzero().flatten()
                        amount = signs[at] * (self.magnitude / STRONGEST)
                        at = at.to(pixels.device)
                        pixels[at] = known[index](pixels[at], amount)
            return {"pixels": pixels}

        return change
