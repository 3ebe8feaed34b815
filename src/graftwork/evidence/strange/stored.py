"""reference.safetensors in a model folder: the reference as tensors, and what else it says in the header. No pickle."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from graftwork.core.checkpoint import disk_errors
from graftwork.data.store.names import inside
from graftwork.data.store.writing import replacing
from graftwork.errors import ModelError
from graftwork.evidence.strange.distance import Neighbourhood
from graftwork.evidence.strange.reference import Reference

REFERENCE = "reference.safetensors"
ABOUT = "graftwork"
"""The entry of the header that holds JSON."""


def write_reference(reference: Reference, folder: Path) -> None:
    """Put it into a model folder that is being written. Raises OSError where the disk is full."""
    tensors = {
        "shift": reference.near.shift,
        "scale": reference.near.scale,
        "near": reference.near.rows,
        "units": reference.near.units,
        "ordinary": reference.ordinary,
    }
    about = {"held_out": reference.held_out}
    with replacing(folder / REFERENCE) as temporary, disk_errors():
        save_file(
            {name: np.ascontiguousarray(values) for name, values in tensors.items()},
            temporary,
            metadata={ABOUT: json.dumps(about)},
        )


def read_reference(folder: Path) -> Reference:
    """The reference in a model folder. Raises ModelError where it is damaged, or of another model."""
    path = inside(folder, REFERENCE)
    try:
        with safe_open(path, framework="np") as file:
            about = json.loads(file.metadata()[ABOUT])
            given = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        near = Neighbourhood(given["shift"], given["scale"], given["near"], given["units"])
        reference = Reference(near, given["ordinary"], bool(about["held_out"]))
        wrong = _wrong(reference)
        if wrong:
            raise ValueError(wrong)
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise ModelError(f"{path} is damaged ({error}). Copy or train the model again.") from None
    return reference


def _wrong(found: Reference) -> str:
    """What contradicts itself in it, or nothing."""
    near = found.near
    if near.rows.ndim != 2 or not len(near.rows) or near.rows.dtype != np.float16:
        return "its rows are no table of half-precision numbers"
    if near.shift.shape != near.scale.shape or near.shift.shape != near.rows.shape[1:]:
        return "its parts are of different widths"
    if found.ordinary.ndim != 1 or not len(found.ordinary) or (np.diff(found.ordinary) < 0).any():
        return "its distances are not in order"
    parts = (near.shift, near.scale, near.rows, near.units, found.ordinary)
    if not all(np.isfinite(part).all() for part in parts):
        return "it holds numbers that are not finite"
    if near.units.shape != (2,) or (near.scale <= 0).any() or (near.units <= 0).any():
        return "its scales are not above 0"
    return ""
