"""What the networks say of a part, as a file: safetensors, which appears whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

import numpy as np

from graftwork.data.store.ragged import Ragged
from graftwork.data.store.typed import misfit
from graftwork.data.store.writing import replacing
from graftwork.data.values import Values
from graftwork.errors import DataError
from graftwork.predicting import Kept

FEATURES = "features"
_VALUES, _OFFSETS = "values/", "offsets/"


class _About(TypedDict):
    """rows: that the part has and that can be read. cut: `Kept.cut`. said: warnings of the process that computed it."""

    rows: int
    cut: list[dict[str, int]]
    said: list[str]


def write_kept(path: Path, kept: Kept, rows: int, said: Sequence[str] = ()) -> None:
    """Put the file in its place. rows: that it is of."""
    from safetensors.numpy import save_file

    about = _About(rows=rows, cut=[dict(one) for one in kept.cut], said=list(said))
    with replacing(path) as temporary:
        save_file(_arrays(kept), temporary, {"about": json.dumps(about)})


def read_kept(path: Path, rows: int) -> tuple[Kept, list[str]]:
    """What `write_kept` wrote of so many rows, and what is to be said of them. Raises DataError for anything else."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "np") as file:
            about: Any = json.loads((file.metadata() or {}).get("about", "null"))
            arrays = {name: np.array(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118 - no mapping
    except (OSError, ValueError, SafetensorError, RecursionError) as error:
        raise DataError(f"{path} is damaged ({error}). Delete it: it is computed again.") from error
    if wrong := misfit(about, _About):
        raise DataError(f"{path} is damaged: {wrong}. Delete it: it is computed again.")
    found = _values(arrays)
    features = arrays.get(FEATURES)
    lengths = {about["rows"], *map(len, found.values()), *([] if features is None else [len(features)])}
    if lengths != {rows}:
        raise DataError(f"{path} is of another number of rows than {rows:,}. Delete it: it is computed again.")
    return Kept(found, features, tuple(about["cut"])), about["said"]


def _arrays(kept: Kept) -> dict[str, np.ndarray]:
    found = {} if kept.features is None else {FEATURES: np.ascontiguousarray(kept.features)}
    for name, values in kept.found.items():
        if isinstance(values, Ragged):
            found[_OFFSETS + name] = np.ascontiguousarray(values.offsets)
            values = values.values
        found[_VALUES + name] = np.ascontiguousarray(values)
    return found


def _values(arrays: Mapping[str, np.ndarray]) -> dict[str, Values]:
    found: dict[str, Values] = {}
    for name, values in arrays.items():
        if name.startswith(_VALUES):
            target = name.removeprefix(_VALUES)
            offsets = arrays.get(_OFFSETS + target)
            found[target] = values if offsets is None else Ragged(values, offsets)
    return found
