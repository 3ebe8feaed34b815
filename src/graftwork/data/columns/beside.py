"""Columns that only name the files whose bytes stand beside them: they are no second input."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from graftwork.data.columns.kinds import Shape, is_string
from graftwork.data.media.paths import located

_LOOKED_AT = 20


def file_names(sampled: pa.Table, shapes: Mapping[str, Shape], folder: Path | None) -> dict[str, str]:
    """Columns of names of images (or sounds), by the column of the same kind that holds bytes.

    Of a name whose file is there nothing is said: it may be another picture.
    """
    held = {shape: name for name, shape in shapes.items() if shape in _MEDIA and _holds_bytes(sampled, name)}
    found = {}
    for name, shape in shapes.items():
        if shape in held and is_string(sampled.schema.field(name).type) and not _are_there(sampled, name, folder):
            found[name] = held[shape]
    return found


_MEDIA = ("image", "audio")


def _holds_bytes(sampled: pa.Table, name: str) -> bool:
    kind = sampled.schema.field(name).type
    if pa.types.is_struct(kind):
        return any(cell and cell.get("bytes") for cell in sampled.column(name).slice(0, _LOOKED_AT).to_pylist())
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _are_there(sampled: pa.Table, name: str, folder: Path | None) -> bool:
    """Whether any of the first files exists."""
    values = [value for value in sampled.column(name).slice(0, _LOOKED_AT).to_pylist() if value and value.strip()]
    try:
        return any(located(value, folder).exists() for value in values)
    except (OSError, ValueError):
        return False
