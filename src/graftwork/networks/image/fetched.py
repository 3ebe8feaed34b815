"""Bases for images that `graft bases get` fetches, by their names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from graftwork.bases.home import need
from graftwork.networks.base_settings import BaseSettings, TrainingRows
from graftwork.networks.image.bases import check_view, usual_size

if TYPE_CHECKING:
    from graftwork.networks.encoder import Encoder

_STEP, _LEAST, _MOST = 32, 96, 224
"""Pixels a side that EfficientNet-Lite0 takes by itself; its last map is a 32nd of them."""


@dataclass(frozen=True, kw_only=True)
class _Fetched(BaseSettings):
    """size: pixels a side that images are read in. crop: share of each side that is kept, cut out of the middle.
    pooling: mean or max over the places of the last map; none for mean."""

    size: int | None = None
    crop: float | None = None
    pooling: Literal["mean", "max"] | None = None

    source = "fetched by: graft bases get NAME"
    modality = "image"
    pretrained = True

    def __post_init__(self) -> None:
        check_view(self.size, self.crop)

    def tuned_blocks(self) -> int:
        from graftwork.networks.image.folders import tuned_blocks

        return tuned_blocks(need(self.name))


@dataclass(frozen=True, kw_only=True)
class EfficientNetLite0(_Fetched):
    """EfficientNet-Lite0 (Tan and Le 2019), trained on the photos of ImageNet.

    size: pixels a side that images are read in; none for those of the training images, enlarged where they are small:
    a multiple of 32 from 96 to 224. Time grows with its square. crop: share of each side that is kept, cut out of the
    middle; none for all of it. pooling: mean or max over the places of the last map; none for mean.
    """

    name = "efficientnet-lite0"
    summary = "small CNN for photos, trained on ImageNet (EfficientNet-Lite0)"
    source = "fetched by: graft bases get efficientnet-lite0"
    suggested_lr = 6e-4
    suggested_epochs = 5
    tuned_lr = 6e-4

    def tuned_blocks(self) -> int:
        return 11  # from the first that sees a 16th of the pixels on: half the work of a step of all

    def build(self, rows: TrainingRows, seed: int) -> Encoder:
        from graftwork.networks.image.folders import load

        folder = need(self.name)
        size = self.size or _multiple(usual_size(rows, _LEAST, _MOST, self.name))
        return load(folder, size, self.crop or 1.0, self.pooling)


@dataclass(frozen=True, kw_only=True)
class FaceRes(_Fetched):
    """A MobileNetV1 (Howard et al. 2017) that tells people apart by their faces; never chosen by itself, since the
    licence of its authors is not clear.

    size: pixels a side that images are read in; none for the 224 that it was trained with. crop: share of each side
    that is kept, cut out of the middle; none for all of it. pooling: mean or max over the places of the last map; none
    for mean.
    """

    name = "faceres"
    summary = "small CNN for faces, 1,024 features; unclear licence, taken by name alone"
    source = "fetched by: graft bases get faceres"
    suggested_lr = 1e-4
    suggested_epochs = 5

    def build(self, rows: TrainingRows, seed: int) -> Encoder:
        from graftwork.networks.image.folders import load

        return load(need(self.name), self.size, self.crop, self.pooling)


def _multiple(size: int) -> int:
    return -(-size // _STEP) * _STEP
