"""Which class reads the image model in a folder: transformers' architectures, or one of our own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from graftwork.networks.hub.loading import locate
from graftwork.networks.image import efficientnet_lite, pretrained

if TYPE_CHECKING:
    from graftwork.networks.image.encoder import ImageEncoder


def load(source: str | Path, size: int | None, crop: float | None, pooling: str | None) -> ImageEncoder:
    """The encoder in a local folder, or of a hub id. size, crop: as of `View.with_size`.

    Raises ModelError where the folder is no image model that is supported, its weights are incomplete or not
    safetensors, or it does not say how images are resized and normalised.
    """
    folder = locate(str(source))
    cls = efficientnet_lite.EfficientNetLiteEncoder if _is_lite(folder) else pretrained.ImageModelEncoder
    return cls.from_pretrained(folder, size, crop, pooling)


def tuned_blocks(source: str | Path) -> int:
    """How many upper blocks of the base are worth tuning: a quarter of a Transformer's, three quarters of a CNN's."""
    folder = locate(str(source))
    if not _is_lite(folder):
        return pretrained.tuned_blocks(str(folder))
    stages = efficientnet_lite.read_shape(folder / "config.json").stages
    return max(2, round((1 + sum(stage[-1] for stage in stages)) * pretrained.CNN_SHARE))


def _is_lite(folder: Path) -> bool:
    try:
        told = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False  # the other reader says what is wrong with it
    return isinstance(told, dict) and told.get("model_type") == efficientnet_lite.KIND
