"""Rows as their owner knows them: file and row, values under their columns' names, small pictures, short sounds."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from graftwork.data.media.media import MediaError, described, readable
from graftwork.data.table import Column, Table
from graftwork.evidence.words import line
from graftwork.shown import shown_number

MOST_BYTES = 1_200_000
"""Of pictures and sounds in a page, together; rows beyond it have their file's name."""
_SIDE = 112
"""Pixels of a thumbnail's longer side."""
_RATE, _SECONDS = 16_000, 8
"""Of a sound that can be heard in a page: samples a second, and how much of its beginning."""
_LONGEST = 600
"""Characters of a text."""


@dataclass(frozen=True)
class Cell:
    """One input of a row: its column, text for a reader, and of an image or a sound a data URI, or nothing."""

    column: str
    kind: str
    text: str
    media: str = ""


@dataclass(frozen=True)
class RowView:
    """place: file and row."""

    place: str
    cells: tuple[Cell, ...]


Views = Mapping[str, Mapping[int, RowView]]
"""By split and row number."""


def row_views(table: Table, wanted: Sequence[int], most_bytes: int = MOST_BYTES) -> dict[int, RowView]:
    """The rows of these numbers, those that the table has. Pictures and sounds stand in the first of them, up to
    `most_bytes` together."""
    position = {row: at for at, row in enumerate(table.rows.tolist())}
    rows = [row for row in wanted if row in position]
    part = table.take([position[row] for row in rows])
    columns = [_cells(part, column) for column in part.schema.inputs]
    found, left = {}, most_bytes
    for at, row in enumerate(rows):
        cells = []
        for column, (texts, values) in zip(part.schema.inputs, columns, strict=True):
            media = _media(values[at], column, table.folder) if values is not None and left > 0 else ""
            left -= len(media)
            nameless = media and isinstance(values[at] if values else None, bytes)
            cells.append(Cell(column.name, column.kind, "" if nameless else texts[at], media))
        found[row] = RowView(place(table, row), tuple(cells))
    return found


def place(table: Table, row: int) -> str:
    """File and row, for a reader."""
    return line(table.place(row) if table.parts else f"{table.source}, row {row:,}")


def _cells(table: Table, column: Column) -> tuple[list[str], list[Any] | None]:
    """What to read of a column's rows, and of images and sounds their values as well."""
    if column.kind in ("image", "audio"):
        return [line(text, 120) for text in described(table.column(column.name))], table.values(column.name)
    values = table.values(column.name)
    if column.kind == "date":
        return ["" if value is None else _date(value) for value in values], None
    if column.kind == "number":
        return [number_text(value) for value in values], None
    return ["" if value is None else line(str(value), _LONGEST) for value in values], None


def _date(value: Any) -> str:
    """A date; with its time where it has one."""
    return line(str(value).removesuffix(" 00:00:00"))


def number_text(value: Any) -> str:
    """A number of a table: years and the like without a comma."""
    if value is None:
        return ""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return line(str(value))
    year_like = 1000 <= abs(value) < 10_000 and value == int(value)
    return str(int(value)) if year_like else shown_number(value)


def _media(value: Any, column: Column, folder: Path | None) -> str:
    """A data URI; empty where there is nothing, or it can't be read."""
    try:
        encoded = readable(value, folder, column.scale)
        if not encoded:
            return ""
        return _thumbnail(encoded) if column.kind == "image" else _excerpt(encoded)
    except (MediaError, OSError, ValueError):
        return ""


def _thumbnail(encoded: bytes) -> str:
    from graftwork.data.media import images

    picture = images.decode(encoded, least=_SIDE)
    picture.thumbnail((_SIDE, _SIDE))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=80, optimize=True)
    return _uri("image/jpeg", file.getvalue())


def _excerpt(encoded: bytes) -> str:
    """The beginning of a sound, as MP3."""
    import soundfile

    from graftwork.data.media import sounds

    samples, rate = sounds.decode(encoded)
    short = sounds.at_rate(samples[: _SECONDS * rate], rate, _RATE)
    file = io.BytesIO()
    soundfile.write(file, np.ascontiguousarray(short), _RATE, format="MP3", subtype="MPEG_LAYER_III")
    return _uri("audio/mpeg", file.getvalue())


def _uri(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"
