"""The digits of scikit-learn as domains: with a colour that goes with the label, and turned."""

from __future__ import annotations

from typing import Any

import numpy as np

Rows = dict[str, Any]
TRAINED, COPIES = 1200, 16
NOISE = 0.25
AGREES = {"often": 0.9, "less often": 0.8}
FLIPPED = 0.1
TURNS = {"upright": 0.0, "15 degrees": 15.0, "30 degrees": 30.0}
TURNED = 60.0


def coloured(seed: int) -> dict[str, Rows]:
    """train, validation and test, a column a pixel and colour: below 5 or not, and a colour that agrees with that less
    and less. Every digit comes several times, each time with its label (wrong in a quarter of them) and colour drawn
    anew, so that there is little to be had by learning rows by heart."""
    images, truth, draw = _mixed(seed)
    halves = np.array_split(np.arange(TRAINED), len(AGREES))
    train = [
        _coloured(np.tile(half, COPIES), images, truth, agrees, name, draw)
        for half, (name, agrees) in zip(halves, AGREES.items(), strict=True)
    ]
    rest = np.arange(TRAINED, len(images))
    valid = [_coloured(rest[::2], images, truth, agrees, name, draw) for name, agrees in AGREES.items()]
    test = _coloured(np.tile(rest, 2), images, truth, FLIPPED, "flipped", draw)
    return {"train": _joined(train), "validation": _joined(valid), "test": test}


def turned(seed: int) -> dict[str, Rows]:
    """train, validation and test, a column a pixel: the ten digits, turned by another angle in each domain."""
    images, truth, _ = _mixed(seed)
    parts = np.array_split(np.arange(TRAINED), len(TURNS))
    train = [_turned(part, images, truth, name, by) for part, (name, by) in zip(parts, TURNS.items(), strict=True)]
    rest = np.arange(TRAINED, len(images))
    valid = [_turned(rest[::3], images, truth, name, by) for name, by in TURNS.items()]
    test = _turned(rest, images, truth, "60 degrees", TURNED)
    return {"train": _joined(train), "validation": _joined(valid), "test": test}


def _mixed(seed: int) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    from sklearn.datasets import load_digits

    found, draw = load_digits(), np.random.default_rng(seed)
    order = draw.permutation(len(found.images))
    return found.images[order] / 16.0, found.target[order], draw


def _coloured(
    picked: np.ndarray, images: np.ndarray, truth: np.ndarray, agrees: float, name: str, draw: np.random.Generator
) -> Rows:
    label = (truth[picked] < 5) ^ (draw.random(len(picked)) < NOISE)
    colour = label ^ (draw.random(len(picked)) >= agrees)
    pixels = np.zeros((len(picked), 2, *images.shape[1:]))
    pixels[np.arange(len(picked)), colour.astype(int)] = images[picked]
    return _columns(pixels, np.where(label, "low", "high"), name)


def _turned(picked: np.ndarray, images: np.ndarray, truth: np.ndarray, name: str, degrees: float) -> Rows:
    from scipy.ndimage import rotate

    pixels = rotate(images[picked], degrees, axes=(1, 2), reshape=False, order=1)
    return _columns(pixels, np.char.add("digit ", truth[picked].astype(str)), name)


def _columns(pixels: np.ndarray, labels: np.ndarray, name: str) -> Rows:
    flat = pixels.reshape(len(pixels), -1).astype(np.float32)
    columns: Rows = {f"pixel {at:03d}": flat[:, at] for at in range(flat.shape[1])}
    return {**columns, "label": labels, "domain": np.full(len(flat), name)}


def _joined(parts: list[Rows]) -> Rows:
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
