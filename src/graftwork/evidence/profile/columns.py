"""What each column of a table holds: its kind, what is missing, and how long, large or many its values are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graftwork.data.columns.convert import is_missing
from graftwork.data.media.images import decode as decode_image
from graftwork.data.media.media import content
from graftwork.data.media.sounds import decode as decode_sound
from graftwork.data.store.spool import slices
from graftwork.data.table import Column, Kind, Table
from graftwork.errors import GraftworkError
from graftwork.evidence.profile.finding import Finding
from graftwork.evidence.rows import number_text
from graftwork.evidence.words import listed, part, quoted
from graftwork.shown import counted, shown_number

DECODED = 200
"""Images or sounds of a column that are decoded to measure them."""
_SHOWN = 3


def columns(table: Table) -> Finding:
    """A sentence and numbers for each column that is used, inputs first; what is not used is named."""
    numbers, sentences, alike = dict[str, Any](), list[str](), list[str]()
    ordered = sorted(table.schema.columns, key=lambda column: column.role is not None)
    for column in ordered:
        found = _numbers_of(table, column)
        numbers[column.name] = found
        sentences.append(_sentence(column, found, len(table)))
        if column.role is None and found.get("distinct") == 1:
            alike.append(column.name)
    used = {column.name for column in ordered}
    unused = [name for name in table.data.column_names if name not in used]
    if unused:
        sentences.append(f"Not used: {listed(unused)}.")
    ignored = " ".join(f"--ignore {name}" for name in alike)
    remedy = f"Leave out what is the same in all rows: {ignored}." if alike else ""
    return Finding("columns", tuple(sentences), {"columns": numbers, "unused": unused}, remedy=remedy)


def _numbers_of(table: Table, column: Column) -> dict[str, Any]:
    values = table.column(column.name)
    missing = int(sum(is_missing(chunk).sum() for chunk in slices(values)))
    found: dict[str, Any] = {"kind": column.kind, "role": column.role or "input", "missing": missing}
    return found | _LOOKS[column.kind](table, column, values)


def _sentence(column: Column, found: dict[str, Any], rows: int) -> str:
    role = "" if column.role is None else f", {column.role}"
    said = [f"{quoted(column.name)} ({column.kind}{role})"]
    parts = [f"missing in {part(found['missing'], rows)} rows"] if found["missing"] else []
    if found.get("distinct") == 1:
        parts.append("the same value in all rows")
    parts += _SAID[column.kind](found)
    return f"{said[0]}: {'; '.join(parts)}." if parts else f"{said[0]}."


def _text(table: Table, column: Column, values: pa.ChunkedArray) -> dict[str, Any]:
    del table, column
    texts = values if pa.types.is_string(values.type) or pa.types.is_large_string(values.type) else None
    if texts is None:  # targets of other tasks: lists, or what stands for a structure
        return {}
    lengths = np.asarray(pc.utf8_length(texts.drop_null()), np.float64)
    words = np.asarray(pc.list_value_length(pc.utf8_split_whitespace(texts.drop_null())), np.float64)
    distinct = int(pc.count_distinct(texts, mode="only_valid").as_py())
    return {"distinct": distinct, "characters": spread(lengths), "words": spread(words)}


def _category(table: Table, column: Column, values: pa.ChunkedArray) -> dict[str, Any]:
    del table, column
    if pa.types.is_nested(values.type):
        return {}
    table_of = pc.value_counts(values.drop_null())
    names, counts = table_of.field("values").cast(pa.string()).to_pylist(), table_of.field("counts").to_pylist()
    first = sorted(zip(names, counts, strict=True), key=lambda pair: (-pair[1], pair[0]))[:_SHOWN]
    return {"distinct": len(names), "most frequent": dict(first)}


def _number(table: Table, column: Column, values: pa.ChunkedArray) -> dict[str, Any]:
    del table, column
    numbers = np.asarray(values.drop_null(), np.float64)
    distinct = len(np.unique(numbers))
    return {"distinct": distinct, "values": spread(numbers), "zero": int((numbers == 0).sum())}


def _date(table: Table, column: Column, values: pa.ChunkedArray) -> dict[str, Any]:
    del table, column
    known = values.drop_null()
    if not len(known) or not pa.types.is_timestamp(known.type):
        return {"distinct": len(pc.unique(known))}
    days = pc.min_max(known).as_py()
    return {"distinct": len(pc.unique(known)), "first": str(days["min"]), "last": str(days["max"])}


def _image(table: Table, column: Column, values: pa.ChunkedArray) -> dict[str, Any]:
    sizes = np.array(_measured(table, values, lambda encoded: decode_image(encoded, scale=column.scale).size))
    if not len(sizes):
        return {}
    common = np.unique(sizes, axis=0, return_counts=True)
    usual = common[0][common[1].argmax()]
    return {
        "measured": len(sizes),
        "width": spread(sizes[:, 0].astype(np.float64)),
        "height": spread(sizes[:, 1].astype(np.float64)),
        "most frequent": [int(usual[0]), int(usual[1])],
        "of that size": int(common[1].max()),
    }


def _audio(table: Table, column: Column, values: pa.ChunkedArray) -> dict[str, Any]:
    del column
    heard = [(len(samples) / rate, rate) for samples, rate in _measured(table, values, decode_sound)]
    if not heard:
        return {}
    rates, counts = np.unique([rate for _, rate in heard], return_counts=True)
    return {
        "measured": len(heard),
        "seconds": spread(np.array([seconds for seconds, _ in heard])),
        "rates": {str(rate): int(count) for rate, count in zip(rates.tolist(), counts.tolist(), strict=True)},
    }


def _measured(table: Table, values: pa.ChunkedArray, measure: Callable[[bytes], Any]) -> list[Any]:
    """Of rows that are spread over the table; what can't be read is left out, and said elsewhere."""
    at = np.unique(np.linspace(0, len(values) - 1, min(DECODED, len(values))).astype(np.int64))
    found = []
    for value in values.take(pa.array(at)).to_pylist():
        try:
            encoded = content(value, table.folder)
            found += [measure(encoded)] if encoded is not None else []
        except (GraftworkError, OSError):
            continue
    return found


def spread(values: np.ndarray) -> dict[str, float]:
    """The least, the middle and the largest of some numbers, and between which nine of ten lie."""
    if not len(values):
        return {}
    marks = np.quantile(values, [0.0, 0.05, 0.5, 0.95, 1.0])
    names = ("least", "from", "half", "to", "most")
    return {name: float(f"{mark:.6g}") for name, mark in zip(names, marks.tolist(), strict=True)}


def _between(found: dict[str, float], unit: str, digits: int) -> str:
    low, half, high, most = (shown_number(round(found[name], digits)) for name in ("from", "half", "to", "most"))
    return f"{half} {unit} in the middle, nine of ten from {low} to {high}, at most {most}"


def _say_text(found: dict[str, Any]) -> list[str]:
    return [_between(found["characters"], "characters", 0)] if found.get("characters") else []


def _say_category(found: dict[str, Any]) -> list[str]:
    if found.get("distinct", 0) < 2:
        return []
    often = [f"{quoted(name, 30)} {count:,}" for name, count in found["most frequent"].items()]
    return [f"{counted(found['distinct'], 'value')}, most often {', '.join(often)}"]


def _say_number(found: dict[str, Any]) -> list[str]:
    values = found.get("values")
    if not values or found["distinct"] == 1:
        return []
    low, half, high = (number_text(values[name]) for name in ("least", "half", "most"))
    return [f"from {low} to {high}, {half} in the middle, {counted(found['distinct'], 'value')}"]


def _say_date(found: dict[str, Any]) -> list[str]:
    return [f"from {found['first'][:10]} to {found['last'][:10]}"] if "first" in found else []


def _say_image(found: dict[str, Any]) -> list[str]:
    if not found.get("measured"):
        return []
    width, height = found["most frequent"]
    usual = f"{width} x {height} pixels in {part(found['of that size'], found['measured'])} that were measured"
    sides = [spread_of[name] for spread_of in (found["width"], found["height"]) for name in ("least", "most")]
    return [usual if sides[0] == sides[1] and sides[2] == sides[3] else f"{usual}; {_sides(sides)}"]


def _sides(sides: list[float]) -> str:
    return f"widths from {sides[0]:,.0f} to {sides[1]:,.0f}, heights from {sides[2]:,.0f} to {sides[3]:,.0f}"


def _say_audio(found: dict[str, Any]) -> list[str]:
    if not found.get("measured"):
        return []
    rates = " and ".join(f"{int(rate):,} Hz" for rate in found["rates"])
    return [f"{_between(found['seconds'], 'seconds', 2)} ({found['measured']:,} measured), {rates}"]


_LOOKS: dict[Kind, Callable[[Table, Column, pa.ChunkedArray], dict[str, Any]]] = {
    "text": _text,
    "category": _category,
    "number": _number,
    "date": _date,
    "image": _image,
    "audio": _audio,
}
_SAID: dict[Kind, Callable[[dict[str, Any]], list[str]]] = {
    "text": _say_text,
    "category": _say_category,
    "number": _say_number,
    "date": _say_date,
    "image": _say_image,
    "audio": _say_audio,
}
