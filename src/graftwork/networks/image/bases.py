"""Bases for images: any image model of transformers that is known here, and small CNNs from scratch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from graftwork.errors import DataError, UsageError
from graftwork.networks.base_settings import BaseSettings, Sizes, TrainingRows, at_least, check_dropout, seeded
from graftwork.spaces import Choice, Range, Spaces

if TYPE_CHECKING:
    from graftwork.networks.encoder import Encoder

_SAMPLED = 64
"""Training images whose size is looked at."""
_SIZES = (8, 64)
"""Pixels a side that the small CNN takes by itself."""
_GRIDS = (2, 32)
"""Cells a side that the CNN over symbols takes by itself."""


@dataclass(frozen=True, kw_only=True)
class ImageModel(BaseSettings):
    """A pretrained image model in a folder, or on the hub. path: the folder with config.json and weights, or a hub id.

    size: pixels a side that images are read in; none for what the base was trained with. Time grows with its square.
    crop: share of each side that is kept, cut out of the middle; none for what the base was trained with (often 0.875),
    1 to cut nothing off. pooling: mean or max of a feature map, cls for a Transformer's class token.
    """

    path: str
    size: int | None = None
    crop: float | None = None
    pooling: Literal["cls", "mean", "max"] | None = None

    name = "image-model"
    summary = "image model from a folder or the hub (ResNet, ConvNeXtV2, MobileNetV1/V2, ViT, DINOv2, Swin)"
    source = "image-model:path=FOLDER, or just the folder"
    modality = "image"
    pretrained = True
    suggested_lr = 1e-4
    suggested_epochs = 5

    def __post_init__(self) -> None:
        check_view(self.size, self.crop)

    def weights(self) -> str | None:
        return self.path

    def tuned_blocks(self) -> int:
        from graftwork.networks.image.folders import tuned_blocks

        return tuned_blocks(self.path)

    def build(self, rows: TrainingRows, seed: int) -> Encoder:
        from graftwork.networks.image.folders import load

        return load(self.path, self.size, self.crop, self.pooling)


@dataclass(frozen=True, kw_only=True)
class SmallCNN(BaseSettings):
    """A residual network for small images (He et al. 2016), normalised by groups of channels (Wu and He 2018).

    width: channels of the first third; the others have two and four times as many. blocks: residual blocks in each.
    size: pixels a side that images are read in; none for the training images' own, from 8 to 64.
    """

    width: int = 32
    blocks: int = 1
    dropout: float = 0.1
    size: int | None = None

    name = "small-cnn"
    sizes: ClassVar[Sizes] = {
        "small": {"width": 32},
        "medium": {"width": 48, "blocks": 2},
        "large": {"width": 64, "blocks": 3},
    }
    searched: ClassVar[Spaces] = {"width": Choice((16, 32, 64)), "blocks": Range(1, 2), "dropout": Range(0.0, 0.3)}
    summary = "small residual CNN, trained from scratch; the default for images"
    source = "trained from scratch: it has no pretrained weights"
    modality = "image"
    pretrained = False
    suggested_lr = 2e-3
    suggested_epochs = 10

    def __post_init__(self) -> None:
        at_least(1, blocks=self.blocks)
        at_least(8, width=self.width, size=self.size)
        if self.width % 8:
            raise UsageError(f"width is {self.width}. Expected a multiple of 8, the channels of a group.")
        check_dropout(dropout=self.dropout)

    def build(self, rows: TrainingRows, seed: int) -> Encoder:
        from graftwork.networks.image.small_cnn import SmallImageEncoder

        size = self.size or usual_size(rows, *_SIZES, self.name)
        with seeded(seed):
            return SmallImageEncoder(self.width, self.blocks, self.dropout, size)


@dataclass(frozen=True, kw_only=True)
class Conv4(BaseSettings):
    """Four convolutions, each followed by a norm, a ReLU and a halving: the usual small network for few-shot learning.

    width: channels of each. blocks: how many convolutions. halvings: how many of them halve height and width, the first
    ones, all where left out; with fewer the features keep more of where things are. size: pixels a side that images are
    read in; the features are width * (size / 2^halvings)^2 wide.
    """

    width: int = 64
    blocks: int = 4
    halvings: int | None = None
    size: int = 28

    name = "conv4"
    sizes: ClassVar[Sizes] = {"small": {"width": 32}, "medium": {"width": 64}, "large": {"width": 128}}
    searched: ClassVar[Spaces] = {"width": Choice((32, 64, 128))}
    summary = "four convolutions for tiny pictures, trained from scratch: for few-shot learning"
    source = "trained from scratch: it has no pretrained weights"
    modality = "image"
    pretrained = False
    suggested_lr = 2e-3
    suggested_epochs = 10

    def __post_init__(self) -> None:
        at_least(1, blocks=self.blocks)
        at_least(8, width=self.width)
        if self.width % 8:
            raise UsageError(f"width is {self.width}. Expected a multiple of 8, the channels of a group.")
        if not 0 <= self.halved <= self.blocks:
            raise UsageError(f"halvings is {self.halvings}. Expected 0 to {self.blocks}, the number of blocks.")
        if self.size >> self.halved < 1:
            raise UsageError(
                f"size is {self.size}, and is halved {self.halved} times. Expected {2**self.halved} or more."
            )

    @property
    def halved(self) -> int:
        """How often height and width are halved."""
        return self.blocks if self.halvings is None else self.halvings

    def build(self, rows: TrainingRows, seed: int) -> Encoder:
        from graftwork.networks.image.conv4 import Conv4Encoder

        with seeded(seed):
            return Conv4Encoder(self.width, self.blocks, self.halved, self.size)


@dataclass(frozen=True, kw_only=True)
class SymbolCNN(BaseSettings):
    """A small network over grids of symbols, whose values are codes and no brightness: worlds such as minigrid's.

    width: channels of its convolutions. features: how many numbers it makes of a grid. codes: how many different codes
    a channel has at most; higher ones are taken for the last. size: cells a side; none for what training has, from
    2 to 32. Grids of another size are cut and stretched to that, so keep to one.
    """

    width: int = 32
    features: int = 128
    codes: int = 16
    size: int | None = None

    name = "symbol-cnn"
    searched: ClassVar[Spaces] = {"width": Choice((16, 32, 64))}
    summary = "small CNN over grids of symbols (minigrid), trained from scratch"
    source = "trained from scratch: it has no pretrained weights"
    modality = "image"
    pretrained = False
    suggested_lr = 1e-3
    suggested_epochs = 10

    def __post_init__(self) -> None:
        at_least(2, codes=self.codes, size=self.size)
        at_least(8, width=self.width, features=self.features)

    def build(self, rows: TrainingRows, seed: int) -> Encoder:
        from graftwork.networks.image.symbol_cnn import SymbolEncoder

        size = self.size or usual_size(rows, *_GRIDS, self.name)
        with seeded(seed):
            return SymbolEncoder(self.width, self.features, self.codes, size)


def usual_size(rows: TrainingRows, least: int, most: int, name: str) -> int:
    """The median of the shorter sides of some training images, from `least` to `most`; `most` where there are no rows.

    name: of the base, for the message. Raises DataError where no row has an image.
    """
    import numpy as np

    from graftwork.data.media.images import decode
    from graftwork.data.media.media import content

    if rows.table is None:
        return most
    every = max(1, len(rows.table) // _SAMPLED)
    picked = rows.table.take(np.arange(0, len(rows.table), every))
    found = [content(value, picked.folder) for column in rows.columns for value in picked.values(column.name)]
    sides = [min(decode(encoded, most).size) for encoded in found if encoded is not None]
    if not sides:
        raise DataError(f"No training row has an image, so {name} can't choose its size. Set it: {name}:size={most}.")
    return int(np.clip(np.median(sides), least, most))


def check_view(size: int | None, crop: float | None) -> None:
    """Raise UsageError for a size below 8 pixels, or a crop that is no share of a side."""
    at_least(8, size=size)
    if crop is not None and not 0.1 <= crop <= 1:
        raise UsageError(f"crop is {crop}. Expected a share of each side from 0.1 to 1.")
