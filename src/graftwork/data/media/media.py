"""Images and sounds in a table: files by path, or their bytes in the cell. What they hold is read elsewhere."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from graftwork.data.media.deep import Range, Scale
from graftwork.data.media.opening import MediaError as MediaError
from graftwork.data.media.opening import UnknownFormat, formats, read_file
from graftwork.data.media.paths import absence, is_address, is_data, located, refusal, shortened
from graftwork.data.store.cache import column_digest, digest, entry, storing
from graftwork.data.store.entries import kept
from graftwork.data.store.spool import slices
from graftwork.data.store.writing import write_text
from graftwork.data.table import Kind, Table


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
    states = [_state(value, folder) for part in slices(column) for value in part.to_pylist()]
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


class Examined(NamedTuple):
    """bad: index and reason of every value that can't be decoded. ranges: of the images with more than 8 bits a
    colour. cancelled: how many sounds have channels that cancel out. plain: indices of the images that have one colour
    all over."""

    bad: list[tuple[int, str]]
    ranges: list[Range]
    cancelled: int = 0
    plain: Sequence[int] = ()


def examined(column: pa.ChunkedArray, folder: Path | None, kind: Kind) -> Examined:
    """What is found when every value of a column is decoded. Missing values are fine.

    It is kept in the cache as long as the files do not change, so that each is decoded for this once.
    """
    key = digest(_RULES, repr(formats()), kind, content_digest(column, folder))

    def check(place: Path) -> None:
        found = _examined(column, folder, kind)
        with storing(place):
            write_text(place / "examined.json", json.dumps(found))

    def read(place: Path) -> Examined:
        bad, ranges, cancelled, plain = json.loads((place / "examined.json").read_text(encoding="utf-8"))
        each = [(int(at), str(reason)) for at, reason in bad]
        return Examined(each, [Range(*one) for one in ranges], int(cancelled), [int(at) for at in plain])

    return kept(entry("checked", key), check, read, spare=True)


_RULES = "5"
"""Another one whenever files are found to be something else than before."""


def cancelled(table: Table) -> list[str]:
    """A line for each column of sounds in which channels cancel out; of a table that was checked."""
    notes = []
    for column in table.schema.inputs:
        if column.kind == "audio":
            count = examined(table.column(column.name), table.folder, "audio").cancelled
            if count:
                notes.append(
                    f"{column.name}: in {count:,} sound{'s' if count > 1 else ''} the channels cancel each other out "
                    "(opposite phase); the louder one is read instead of their mean"
                )
    return notes


def plain_images(table: Table) -> list[str]:
    """A line for each column of images with some that have one colour all over; of a table that was checked."""
    notes = []
    for column in table.schema.inputs:
        plain = examined(table.column(column.name), table.folder, "image").plain if column.kind == "image" else ()
        if plain:
            rows = [int(table.rows[at]) for at in plain]
            listed = ", ".join(map(str, rows[:_SHOWN])) + (f" and {len(rows) - _SHOWN:,} more" * (len(rows) > _SHOWN))
            notes.append(
                f"{column.name}: {len(rows):,} of {len(table):,} images have one colour all over, so that they show "
                f"nothing (row{'s' if len(rows) > 1 else ''} {listed}); look at them, and leave out what is broken"
            )
    return notes


_SHOWN = 10
"""Row numbers in a line."""


def readable(value: Any, folder: Path | None, scale: Scale | None) -> bytes | None:
    """The encoded file of a cell (see `content`) as a network reads it.

    scale: the column's, by which images of more than 8 bits a colour become ordinary ones.
    """
    encoded = content(value, folder)
    if encoded is None or scale is None:
        return encoded
    from graftwork.data.media.images import plain

    return plain(encoded, scale)


def described(column: pa.ChunkedArray) -> list[str]:
    """What a reader sees of each cell: its path or text, and of bytes how many they are; nothing of what is missing."""
    if pa.types.is_struct(column.type):
        paths, held = (described(pc.struct_field(column, name)) for name in ("path", "bytes"))
        return [path or size for path, size in zip(paths, held, strict=True)]
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        return ["" if size is None else f"{size:,} bytes" for size in pc.binary_length(column).to_pylist()]
    return ["" if value is None else str(value) for value in column.to_pylist()]


def _examined(column: pa.ChunkedArray, folder: Path | None, kind: Kind) -> Examined:
    check = _checker(kind)
    found = Examined([], [])
    marked = list[int]()
    for at, value in enumerate(value for part in slices(column) for value in part.to_pylist()):
        try:
            encoded = content(value, folder)
        except MediaError as error:
            found.bad.append((at, str(error)))
            continue
        try:
            told = check(encoded) if encoded is not None else None
        except MediaError as error:
            found.bad.append((at, _placed(error, value, folder)))
        else:
            found.ranges.extend([told] if isinstance(told, Range) else [])
            if told is True or (isinstance(told, Range) and told.low == told.high):
                marked.append(at)
    return found._replace(cancelled=len(marked)) if kind == "audio" else found._replace(plain=marked)


def _placed(error: MediaError, value: Any, folder: Path | None) -> str:
    """The reason behind the file that it is of, with what to do where its ending tells."""
    path = (value.get("path") or "") if isinstance(value, Mapping) else "" if isinstance(value, bytes) else str(value)
    if not path or is_data(path):
        return str(error)
    told = refusal(path) if isinstance(error, UnknownFormat) else None
    return f"{shortened(str(located(path, folder)))}: {told or error}"


def _checker(kind: Kind) -> Callable[[bytes], Range | bool]:
    if kind == "image":
        from graftwork.data.media.images import examine

        return examine
    from graftwork.data.media.sounds import cancels_out

    return cancels_out
