"""Images and sounds in a table: files by path, or their bytes in the cell. What they hold is read elsewhere."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from graftwork.data.cache import column_digest, digest, entry, storing
from graftwork.data.entries import kept
from graftwork.data.opening import MediaError as MediaError
from graftwork.data.opening import formats, read_file
from graftwork.data.paths import absence, is_address, is_data, located, refusal, shortened
from graftwork.data.spool import slices
from graftwork.data.table import Kind
from graftwork.data.writing import write_text


def content(value: Any, folder: Path | None) -> bytes | None:
    """The encoded file that a cell holds or names; None where the cell is empty.

    value: a path (relative ones start at `folder`, or here), bytes, `{"bytes": ..., "path": ...}`, or a data address
    (data:image/png;base64,…).
    Raises MediaError where there is no such file, or it can't be read (see `opening.read_file`).
    """
    if isinstance(value, Mapping):
        value = value.get("bytes") or value.get("path")
    if value is None or isinstance(value, bytes):
        return value or None
    named = str(value)
    if not named.strip():
        return None
    if is_data(named):
        return _written_out(named)
    if is_address(named):
        raise MediaError(absence(named, Path()))
    return read_file(located(named, folder), named)


def _written_out(value: str) -> bytes:
    """What a data address holds."""
    try:
        return base64.b64decode(value.partition(",")[2], validate=True)
    except ValueError:
        raise MediaError(f"{shortened(value[:40])}… is no sound base64") from None


def content_digest(column: pa.ChunkedArray, folder: Path | None) -> str:
    """A key for a column's files, the same as long as they do not change.

    Files are known by path, size and time of change, so that a key does not cost reading them all.
    """
    if pa.types.is_struct(column.type):
        bytes_of, path_of = (pc.struct_field(column, name) for name in ("bytes", "path"))
        return digest(content_digest(bytes_of, folder), content_digest(path_of, folder))
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        return column_digest(column)
    states = [
        "" if value is None else _state(str(value), folder) for part in slices(column) for value in part.to_pylist()
    ]
    return digest("files", "\n".join(states))


def _state(given: Any, folder: Path | None) -> str:
    if given is None:
        return ""
    value = str(given)
    if is_data(value) or is_address(value):
        return value
    path = located(value, folder)
    try:
        found = path.stat()
        return f"{path.resolve()} {found.st_size} {found.st_mtime_ns}"
    except (OSError, ValueError, RuntimeError):  # no such file; a name that none can have; links in a circle
        return repr(str(path))


def unreadable(column: pa.ChunkedArray, folder: Path | None, kind: Kind) -> list[tuple[int, str]]:
    """Index and reason of every value that is no image, or no sound, that can be decoded. Missing values are fine.

    What was found is kept in the cache as long as the files do not change, so that each is decoded for this once.
    """
    key = digest(_RULES, repr(formats()), kind, content_digest(column, folder))

    def check(place: Path) -> None:
        found = _unreadable(column, folder, _checker(kind))
        with storing(place):
            write_text(place / "unreadable.json", json.dumps(found))

    def read(place: Path) -> list[tuple[int, str]]:
        told = json.loads((place / "unreadable.json").read_text(encoding="utf-8"))
        return [(int(at), str(reason)) for at, reason in told]

    return kept(entry("checked", key), check, read, spare=True)


_RULES = "2"
"""Another one whenever other files are found unreadable than before."""


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
            found.append((at, _placed(str(error), value, folder)))
    return found


def _placed(reason: str, value: Any, folder: Path | None) -> str:
    """The reason behind the file that it is of, with what to do where its ending tells."""
    path = (value.get("path") or "") if isinstance(value, Mapping) else "" if isinstance(value, bytes) else str(value)
    if not path or is_data(path):
        return reason
    return f"{shortened(str(located(path, folder)))}: {refusal(path) or reason}"


def _checker(kind: Kind) -> Callable[[bytes], object]:
    if kind == "image":
        from graftwork.data.images import verify

        return verify
    from graftwork.data.sounds import decode

    return decode
