"""RandAugment: a few operations on each image, drawn from fourteen, all at one strength.

Two numbers instead of a policy that is searched for. It regularises strongly: good for photos and long training from
scratch; in short runs, on small networks and on tiny or grey images it may cost more than it brings. Some operations
move what is in the image, some change its colours: where either has a meaning, choose `crop` or `colour` by themselves.

Source: Cubuk et al. 2020 (RandAugment).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from graftwork.core.technique import Phase
from graftwork.data.batch import Inputs
from graftwork.data.table import Modality
from graftwork.networks.encoder import Encoder
from graftwork.spaces import Range, Spaces
from graftwork.techniques.augment.inputs import Augmentation, Change, chance
from graftwork.techniques.augment.operations import operations
from graftwork.techniques.augment.pixels import check_installed, one_thread
from graftwork.techniques.checks import check_range

STRONGEST = 30.0


@dataclass(frozen=True)
class RandAugment(Augmentation):
    """Do `ops` operations to each image, one after the other, each drawn by itself.

    ops: how many, at least 0; 0 is off.
    magnitude: how strong they are, from 0 to 30. Some (equalize, autocontrast) know no strength and act at 0 too.
    """

    ops: int = 2
    magnitude: float = 9.0

    name: ClassVar[str] = "rand-augment"
    phase: ClassVar[Phase] = Phase.POLICY
    summary: ClassVar[str] = "a few random operations on each image (RandAugment)"
    searched: ClassVar[Spaces] = {"ops": Range(1, 3), "magnitude": Range(3.0, 15.0)}
    modality: ClassVar[Modality] = "image"
    moves: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_range(self.name, "ops", self.ops, 0, 14)
        check_range(self.name, "magnitude", self.magnitude, 0.0, STRONGEST)

    @property
    def off(self) -> bool:
        return self.ops == 0

    def change(self, encoder: Encoder) -> Change:
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
