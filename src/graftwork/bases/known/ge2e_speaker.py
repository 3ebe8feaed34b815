"""Resemblyzer's speaker encoder (Wan et al. 2018): whose voice it is."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from graftwork.bases.catalogue import Entry, Package
from graftwork.bases.layout import changed

_WEIGHTS, _LICENCE = "resemblyzer/pretrained.pt", "Resemblyzer-0.1.4.dist-info/LICENSE"
_SHA = "39373b86598fa3da9fcddee6142382efe09777e8d37dc9c0561f41f0070f134e"
_STATE = "model_state."
_CONFIG = {
    "model_type": "ge2e-speaker",
    "mels": 40,
    "width": 256,
    "layers": 3,
    "embedding": 256,
    "rate": 16000,
    "window": 400,
    "hop": 160,
    "frames": 160,
    "step": 80,
}
"""Sizes of the network, and how a sound becomes its windows: 1.6 seconds, every 0.8."""


def convert(given: Mapping[str, Path], out: Path, sha256: str = _SHA) -> None:
    """The LSTM and the layer behind it, by their names in the file; what training needed besides is left out.

    sha256: of the file with the weights. Raises ModelError where it is not laid out as it was.
    """
    from safetensors.torch import save_file

    from graftwork.bases.pickled import tensors

    found = tensors(given[_WEIGHTS], sha256)
    weights = {name.removeprefix(_STATE): tensor for name, tensor in found.items() if name.startswith(_STATE)}
    for name, shape in _shapes().items():
        if name not in weights or tuple(weights[name].shape) != shape:
            held = tuple(weights[name].shape) if name in weights else "no tensor of this name"
            raise changed(Path(_WEIGHTS).name, f"{_STATE}{name} of {shape}", held)
    (out / "config.json").write_text(json.dumps(_CONFIG, indent=1) + "\n", encoding="utf-8")
    save_file({name: weights[name].contiguous() for name in _shapes()}, out / "model.safetensors", {"format": "pt"})
    shutil.copyfile(given[_LICENCE], out / "LICENSE")


def _shapes() -> dict[str, tuple[int, ...]]:
    width, mels = 256, 40
    found: dict[str, tuple[int, ...]] = {}
    for layer in range(3):
        found[f"lstm.weight_ih_l{layer}"] = (4 * width, width if layer else mels)
        found[f"lstm.weight_hh_l{layer}"] = (4 * width, width)
        found |= {f"lstm.bias_{kind}_l{layer}": (4 * width,) for kind in ("ih", "hh")}
    return found | {"linear.weight": (width, width), "linear.bias": (width,)}


ENTRIES = (
    Entry(
        name="ge2e-speaker",
        summary="resemblyzer's speaker encoder: whose voice it is, in any language",
        reads="audio",
        uses=("speaker",),
        languages="any",
        parameters=1_423_616,
        size=5_710_000,
        licence="Apache-2.0",
        commercial=True,
        hub=None,
        form="whole, 32-bit",
        packages=(
            Package(
                registry="pypi",
                name="resemblyzer",
                version="0.1.4",
                sha256="8f12eb2f1a9982d32e8db7856de754709b59c93a77bcf0ff536584b619a9dd1f",
                size=15_747_704,
                files={
                    _WEIGHTS: _SHA,
                    _LICENCE: "835cbdc5bdc6c60fae874e544e7d5ba648d77d25ec72e4c2efc26b5fde0862c3",
                },
                by="Resemble AI (Corentin Jemine)",
            ),
        ),
        convert=convert,
    ),
)
