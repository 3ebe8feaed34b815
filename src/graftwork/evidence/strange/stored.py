"""reference.safetensors in a model folder: the reference as tensors, and what else it says in the header. No pickle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal, TypedDict

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from graftwork.core.training.checkpoint import disk_errors
from graftwork.data.store.names import inside
from graftwork.data.store.typed import misfit
from graftwork.data.store.writing import replacing
from graftwork.errors import ModelError, UsageError
from graftwork.evidence.strange.aspects import Aspect, Measure
from graftwork.evidence.strange.distance import Neighbourhood
from graftwork.evidence.strange.other import Other
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
        "fresh": reference.fresh,
    }
    tensors |= {f"aspect.{at}": one.numbers for at, one in enumerate(reference.aspects)}
    aspects = [
        {"kind": one.kind, "name": one.name, "measure": one.measure, "counts": dict(one.counts)}
        for one in reference.aspects
    ]
    other = reference.other
    told = None if other is None else {"label": other.label, "beyond": other.beyond}
    about = {"held_out": reference.held_out, "aspects": aspects, "other": told}
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
        wrong = misfit(about, _About)
        if wrong:
            raise ValueError(wrong)
        aspects = [
            Aspect(one["kind"], one["name"], one["measure"], given[f"aspect.{at}"], one["counts"])
            for at, one in enumerate(about["aspects"])
        ]
        other = None if about["other"] is None else Other(**about["other"])
        reference = Reference(near, given["ordinary"], about["held_out"], given["fresh"], tuple(aspects), other)
        wrong = _wrong(reference) or next(filter(None, map(_wrong_aspect, aspects)), "")
        if wrong:
            raise ValueError(wrong)
    except (SafetensorError, OSError, UsageError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise ModelError(f"{path} is damaged ({error}). Copy or train the model again.") from None
    return reference


class _AboutAspect(TypedDict):
    kind: Literal["column", "predictions"]
    name: str
    measure: Measure
    counts: dict[str, int]


class _AboutOther(TypedDict):
    label: str
    beyond: float


class _About(TypedDict):
    """What the header says."""

    held_out: bool
    aspects: list[_AboutAspect]
    other: _AboutOther | None


def _wrong_aspect(found: Aspect) -> str:
    """What contradicts itself in it, or nothing."""
    numbers = found.numbers
    if numbers.ndim != 1 or np.isnan(numbers).any() or (numbers == np.inf).any() or (numbers[1:] < numbers[:-1]).any():
        return f"the numbers of {found.name} are not in order"
    if any(count < 0 for count in found.counts.values()) or (found.measure == "category") != bool(found.counts):
        return f"the counts of {found.name} are none"
    return ""


def _wrong(found: Reference) -> str:
    """What contradicts itself in it, or nothing."""
    near = found.near
    if near.rows.ndim != 2 or not len(near.rows) or near.rows.dtype != np.float16:
        return "its rows are no table of half-precision numbers"
    if near.shift.shape != near.scale.shape or near.shift.shape != near.rows.shape[1:]:
        return "its parts are of different widths"
    if found.ordinary.ndim != 1 or not len(found.ordinary) or (np.diff(found.ordinary) < 0).any():
        return "its distances are not in order"
    if found.fresh.ndim != 2 or found.fresh.shape[1:] != near.rows.shape[1:] or found.fresh.dtype != np.float16:
        return "its fresh rows are of another width"
    parts = (found.fresh, near.shift, near.scale, near.rows, near.units, found.ordinary)
    if not all(np.isfinite(part).all() for part in parts):
        return "it holds numbers that are not finite"
    if near.units.shape != (2,) or (near.scale <= 0).any() or (near.units <= 0).any():
        return "its scales are not above 0"
    return ""
