"""How a folder says that images become numbers: its preprocessor_config.json, as transformers' processors apply it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from graftwork.errors import ModelError
from graftwork.networks.hub import loading as hub
from graftwork.networks.image.view import View, filter_of


def processing(folder: Path) -> tuple[View, list[float], list[float]]:
    """View, mean and standard deviation of each colour, of pixels from 0 to 1.

    Raises ModelError where the folder does not say it, or names no single size.
    """
    file = folder / "preprocessor_config.json"
    if not file.is_file():
        raise ModelError(f"{folder} has no preprocessor_config.json, which says how images are resized and normalised.")
    known = hub.load_reader("AutoImageProcessor", folder, "image processor", backend="pil")
    view = _view(known, file)
    scale = 255 * float(known.rescale_factor) if known.do_rescale else 255.0
    plain = not known.do_normalize
    mean, std = ([0.0] * 3, [1.0] * 3) if plain else (_colours(known.image_mean), _colours(known.image_std))
    return view, [value / scale for value in mean], [value / scale for value in std]


def _view(known: Any, file: Path) -> View:
    size, crop = dict(known.size or {}), dict(known.crop_size or {}) if known.do_center_crop else {}
    shorter, both = size.get("shortest_edge"), size.get("height")
    if not known.do_resize or not (shorter or (both and both == size.get("width"))):
        raise ModelError(f"{file} names no single size in pixels that images are resized to: {size}.")
    resample = filter_of(known.resample)
    share = getattr(known, "crop_pct", None)
    if shorter and share:  # as ConvNeXt's processor has it: large ones are stretched
        return (
            View(shorter, shorter, True, resample)
            if shorter >= 384
            else View(shorter, int(shorter / share), False, resample)
        )
    resized = int(shorter or both or 0)
    return View(int(crop.get("height") or resized), resized, not shorter, resample)


def _colours(values: Any) -> list[float]:
    return [float(value) for value in values] if isinstance(values, Sequence) else [float(values)] * 3
