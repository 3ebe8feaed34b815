"""Colour jitter: the same thing in other light, with another camera.

It helps where the colours of the training images are an accident (light, camera, scanner) and hurts where they are what
is asked for (ripeness, products by colour: leave hue and saturation out). For grey images only brightness and contrast
do anything. With plenty of photos of all kinds it brings little.

Source: Krizhevsky et al. 2012; Howard 2013 (brightness, contrast and colour).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch

from graftwork.core.technique import Phase
from graftwork.data.batch import Inputs
from graftwork.data.table import Modality
from graftwork.networks.encoder import Encoder
from graftwork.spaces import Range, Spaces
from graftwork.techniques.augment.inputs import Augmentation, Change, between
from graftwork.techniques.augment.pixels import check_installed, enhance, one_thread
from graftwork.techniques.checks import check_range


@dataclass(frozen=True)
class Colour(Augmentation):
    """Change brightness, contrast, saturation and hue of each image by random amounts, in this order.

    brightness, contrast, saturation: the factor is drawn from 1 - x to 1 + x; x from 0 (off) to 1.
    hue: the turn is drawn from -x to x of the colour circle, x from 0 (off) to 0.5.
    """

    brightness: float = 0.2
    contrast: float = 0.2
    saturation: float = 0.2
    hue: float = 0.02

    name: ClassVar[str] = "colour"
    phase: ClassVar[Phase] = Phase.COLOUR
    summary: ClassVar[str] = "change brightness, contrast, saturation and hue of images"
    searched: ClassVar[Spaces] = {
        "brightness": Range(0.05, 0.4),
        "contrast": Range(0.05, 0.4),
        "saturation": Range(0.05, 0.4),
    }
    modality: ClassVar[Modality] = "image"

    def __post_init__(self) -> None:
        for setting in ("brightness", "contrast", "saturation"):
            check_range(self.name, setting, getattr(self, setting), 0.0, 1.0)
        check_range(self.name, "hue", self.hue, 0.0, 0.5)

    @property
    def off(self) -> bool:
        return not (self.brightness or self.contrast or self.saturation or self.hue)

    def change(self, encoder: Encoder) -> Change:
        check_installed(self.name)
        kornia = enhance()
        steps = [
            (kornia.adjust_brightness_accumulative, 1.0, self.brightness),
            (kornia.adjust_contrast_with_mean_subtraction, 1.0, self.contrast),
            (kornia.adjust_saturation_with_gray_subtraction, 1.0, self.saturation),
            (kornia.adjust_hue, 0.0, self.hue * 2 * math.pi),
        ]

        def change(inputs: Inputs, generator: torch.Generator) -> Inputs:
            pixels = inputs["pixels"]
            with one_thread():
                for adjust, usual, most in steps:
                    if most:
                        amount = between(len(pixels), usual - most, usual + most, generator).to(pixels.device)
                        pixels = adjust(pixels, amount)
            return {"pixels": pixels}

        return change
