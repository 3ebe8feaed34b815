"""Images and sounds in a table: files by path, or their bytes in the cell. What they hold is read elsewhere."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from graftwork.data.cache import column_digest, digest, entry, storing
from graftwork.data.spool import slices
from graftwork.data.table import Kind
from graftwork.data.writing import write_text
from graftwork.errors import DataError


class MediaError(DataError):
    """One image or sound can't be used. The message is a reason for a reader, without the row or the column."""


def content(value: Any, folder: Path | None) -> bytes | None:
    """The encoded file that a cell holds or names; None where the cell is empty.

    value: a path (relative ones start at `folder`, or here), bytes, or `{"bytes": ..., "path": ...}`.
    Raises MediaError where there is no such file, or it can't be read.
    """
    if isinstance(value, Mapping):
        value = value.get("bytes") or value.get("path")
    if value is None or isinstance(value, bytes):
        return value or None
    if not str(value).strip():
        return None
    path = located(str(value), folder)
    try:
        return path.read_bytes()
    except FileNotFoundError:
        if "://" in str(value):
            raise MediaError(f"{value} is an address on the web; download it first, and name the file") from None
        raise MediaError(f"there is no file {_shown(str(path))}") from None
    except (OSError, ValueError) as error:  # a text is no path where it is long, or holds a zero byte
        reason = getattr(error, "strerror", None) or error
        raise MediaError(f"{_shown(str(path))} can't be read: {reason}") from None


def _shown(path: str) -> str:
    return path if len(path) <= 200 else path[:199] + "…"


def located(path: str, folder: Path | None) -> Path:
    """Where a path of a cell points to."""
    return (folder or Path()) / Path(path.strip()).expanduser()


def content_digest(column: pa.ChunkedArray, folder: Path | None) -> str:
    """A key for a column's files, the same as long as they do not change.

    Files are known by path, size and time of change, so that a key does not cost reading them all.
    """
    if pa.types.is_struct(column.type):
        bytes_of, path_of = (pc.struct_field(column, name) for name in ("bytes", "path"))
        return digest(content_digest(bytes_of, folder), content_digest(path_of, folder))
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        return column_digest(column)
    states = [_state(value, folder) for part in slices(column) for value in part.to_pylist()]
    return digest("files", "\n".join(states))


def _state(value: str | None, folder: Path | None) -> str:
    if value is None:
        return ""
    path = located(value, folder)
    try:
        found = path.stat()
    except OSError:
        return str(path)
    return f"{path.resolve()} {found.st_size} {found.st_mtime_ns}"


def unreadable(column: pa.ChunkedArray, folder: Path | None, kind: Kind) -> list[tuple[int, str]]:
    """Index and reason of every value that is no image, or no sound, that can be decoded. Missing values are fine.

    What was found is kept in the cache as long as the files do not change, so that each is decoded for this once.
    """
    place = entry("checked", digest(kind, content_digest(column, folder))) / "unreadable.json"
    try:
        return [(int(at), str(reason)) for at, reason in json.loads(place.read_text(encoding="utf-8"))]
    except (OSError, ValueError):
        found = _unreadable(column, folder, _checker(kind))
    with storing(place.parent):
        place.parent.mkdir(parents=True, exist_ok=True)
        write_text(place, json.dumps(found))
    return found


def described(column: pa.ChunkedArray) -> list[str]:
    """What a reader sees of each cell: its path or text, and of bytes how many they are; nothing of what is missing."""
    if pa.types.is_struct(column.type):
        paths, held = (described(pc.struct_field(column, name)) for name in ("path", "bytes"))
        return [path or size for path, size in zip(paths, held, strict=True)]
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        return ["" if size is None else f"{size:,} bytes" for size in pc.binary_length(column).to_pylist()]
    return ["" if value is None else str(value) for value in column.to_pylist()]


def _unreadable(
    column: pa.ChunkedArray, folder: Path | None, check: Callable[[bytes], object]
) -> list[tuple[int, str]]:
    found = []
    for at, value in enumerate(value for part in slices(column) for value in part.to_pylist()):
        try:
            encoded = content(value, folder)
        except MediaError as error:
            found.append((at, str(error)))
            continue
        try:
            if encoded is not None:
                check(encoded)
        except MediaError as error:
            path = value.get("path") if isinstance(value, Mapping) else value
            found.append((at, f"{located(path, folder)}: {error}" if isinstance(path, str) else str(error)))
    return found


def _checker(kind: Kind) -> Callable[[bytes], object]:
    if kind == "image":
        from graftwork.data.images import verify

        return verify
    from graftwork.data.sounds import decode

    return decode
