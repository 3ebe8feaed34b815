"""What a column holds, judged from a sample of its rows: text, classes, numbers, images, audio, or nothing of use."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graftwork.data.columns.dates import find_dates, find_number_dates
from graftwork.data.columns.ids import are_codes, are_row_codes, has_leading_zero, names_rows, whole_numbers
from graftwork.data.columns.near_numbers import near_numbers
from graftwork.data.columns.number_text import is_missing_number
from graftwork.data.columns.numbers import Decimal, FoundForm, are_groups_with_points, find_form, is_plain_column
from graftwork.data.media.marks import held_kind
from graftwork.data.media.paths import MOSTLY, media_kind
from graftwork.data.table import CLASSES

Shape = Literal["text", "category", "number", "image", "audio", "date", "id", "nested", "empty"]
"""A column kind, or why a column is none: row ids, nested values, no value at all."""

NESTED = {b"graftwork": b"nested"}
"""Metadata of a column that holds json objects as text."""
SAMPLE_ROWS = 10_000
_NAMES_OF_TEXTS = """
text texts sentence sentences question query utterance review comment message content body title document description
tweet post headline summary input prompt 文本 内容 评论 评价 标题 句子 问题
"""
_TEXT_NAMES = frozenset(_NAMES_OF_TEXTS.split())
_FEW = 20
_SAID = {"text": "text", "category": "categories"}
_GLUED = re.compile(r"\d[^\W\d_]")
_UNITS = """
kg g mg lb lbs oz t ton km m cm mm mi mile ft in inch yd l ml cl dl gal h hr hour min minute s sec second ms d day week
month yr year y gb mb kb tb gib mib w kw kwh mw v ma mah hz khz mhz ghz px dpi mp c f k kcal cal kj pa hpa bar psi rpm
mph kmh km/h m/s m2 m3 km2 sqm sqft ha db lm ct pct percent pt pts point x
"""
_MEASURED = frozenset(_UNITS.split())
"""Units that stand right behind a number (12kg); other letters there (100A of a catalogue) are a part of a name."""


@dataclass(frozen=True)
class Judged:
    """What a column holds, and how it is read. form: how its numbers or dates are written. note: that, for the user.

    why: for a category of digits, why it is no number. unclear: a value that can be read in two ways. either: what
    another column shows of the sign of decimals could change the reading.
    """

    shape: Shape
    form: str = ""
    note: str = ""
    why: str = ""
    unclear: str = ""
    either: bool = False


def sample(table: pa.Table) -> pa.Table:
    """At most 10,000 rows, evenly spread: tables are often sorted by class."""
    if len(table) <= SAMPLE_ROWS:
        return table
    return table.take(pa.array(np.linspace(0, len(table) - 1, SAMPLE_ROWS).astype(np.int64)))


def shape_of(name: str, column: pa.ChunkedArray, field: pa.Field, folder: Path | None = None) -> Shape:
    """What a (sampled) column holds. folder: where relative paths in it start; None for here."""
    return judge(name, column, field, folder).shape


def judge(
    name: str, column: pa.ChunkedArray, field: pa.Field, folder: Path | None = None, decimal: Decimal = ""
) -> Judged:
    """The same, with how it is to be read. The readers are asked in order: media, plain numbers, paths, dates, other
    numbers, words. decimal: the sign of decimals in other columns of the table, where one shows it."""
    if (field.metadata or {}).items() >= NESTED.items():
        return Judged("nested")
    kind = field.type
    if pa.types.is_struct(kind):
        return Judged(_media(column, kind, folder))
    if pa.types.is_nested(kind):
        return Judged("nested")
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return Judged(_media_bytes(column.drop_null().to_pylist()))
    if pa.types.is_temporal(kind):
        return Judged("date" if column.null_count < len(column) else "empty")
    values = column.drop_null().to_pylist()
    if not values:
        return Judged("empty")
    if pa.types.is_boolean(kind) or (field.metadata or {}).items() >= CLASSES.items():
        return Judged("category")
    if not is_string(kind):
        return _of_numbers(name, values)
    return _of_texts(name, [value for value in values if value.strip()], folder, decimal)


def _of_numbers(name: str, values: list[Any]) -> Judged:
    if names_rows(name, values):
        return Judged("id")
    if dates := _of_number_dates(name, values):
        return dates
    why = are_codes(name, values)
    return Judged("category", why=why) if why else Judged("number")


def _of_number_dates(name: str, values: Sequence[Any]) -> Judged | None:
    found = find_number_dates(name, whole_numbers(values) or ())
    return Judged("date", found.form, found.note(name)) if found else None


def is_string(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _of_texts(name: str, values: list[str], folder: Path | None, decimal: Decimal) -> Judged:
    if not values:
        return Judged("empty")
    plain = is_plain_column(values)
    if plain and (found := _of_plain_numbers(name, values, decimal)):
        return found
    media = None if plain else media_kind(values, folder)
    if media:
        return Judged(media)
    if dates := find_dates(values):
        return Judged("date", dates.form, dates.note(name))
    form = find_form(Counter(values), decimal=decimal)
    named = name.strip().lower() in _TEXT_NAMES
    if form and _are_numbers(form, values, strict=named):
        return Judged("number", form.form.text, form.note(name), unclear=form.unclear, either=bool(form.unclear))
    if named:
        return Judged("text")
    shape = _words_shape(values, names_rows(name, values))
    looked_at = shape == "text" or (shape == "category" and len(set(values)) > _FEW)
    return Judged(shape, note=near_numbers(name, values, _SAID[shape]) if looked_at else "")


def _of_plain_numbers(name: str, values: list[str], decimal: Decimal) -> Judged | None:
    """Of numbers as computers write them; None where they may be thousands with points after all."""
    numbers = [value for value in values if not is_missing_number(value)]
    if names_rows(name, numbers):
        return Judged("id")
    if dates := _of_number_dates(name, numbers):
        return dates
    if has_leading_zero(numbers) and 2 * len(set(numbers)) <= len(numbers):
        return Judged("category", why="zeros in front, which a number would lose")
    why = are_codes(name, numbers)
    if why:
        return Judged("category", why=why)
    pointed = are_groups_with_points(numbers)
    if pointed:
        form = find_form(Counter(values), decimal=decimal)
        if form and form.form.thousands:
            return None
    return Judged("number", either=pointed)


def _are_numbers(found: FoundForm, values: Sequence[str], *, strict: bool) -> bool:
    """Whether a column with numbers in this form is one of numbers; rows that are not read are then named as bad.

    A few that repeat (32GB, 64GB) are classes, and so are digits with letters behind them that are no unit.
    strict: only where all values are read.
    """
    distinct, unit = set(values), found.form.unit
    letters = any(map(str.isalpha, unit)) and not re.fullmatch(r"[A-Z]{3}", unit)
    if found.share == 1:
        repeats = 2 * len(distinct) <= len(values)
        glued = letters and unit.lower() not in _MEASURED and any(map(_GLUED.search, distinct))
        return not (repeats and (glued or (letters and len(distinct) <= _FEW)))
    if strict:
        return False
    signs_only = not letters and not any(any(map(str.isalpha, value)) for value in distinct)
    return len(distinct) > _FEW or signs_only


def _words_shape(values: list[str], named_id: bool) -> Shape:
    """Classes are few and repeat; texts hardly repeat, and are longer than a word; ids never repeat."""
    rows, distinct = len(values), len(set(values))
    words = sum(map(count_words, values)) / rows
    if distinct <= 0.2 * rows or (distinct <= 0.5 * rows and words <= 3) or distinct == 1 < rows:
        return "category"
    if distinct == rows and words < 2 and (named_id or (rows > 1 and are_row_codes(values))):
        return "id"
    return "text"


def count_words(text: str) -> float:
    """Words between spaces; Chinese, Japanese and Korean characters count half a word each."""
    wide = sum("\u3040" <= character <= "\u9fff" or "\uac00" <= character <= "\ud7a3" for character in text)
    return max(len(text.split()), wide / 2)


def _media(column: pa.ChunkedArray, kind: pa.StructType, folder: Path | None) -> Shape:
    """`datasets` keeps images and audio as {bytes, path}."""
    names = {kind.field(index).name for index in range(kind.num_fields)}
    if not {"bytes", "path"} <= names:
        return "nested"
    content = [value for value in pc.struct_field(column, "bytes").drop_null().slice(0, 100).to_pylist() if value]
    if content:
        return _media_bytes(content)
    paths = [value for value in pc.struct_field(column, "path").drop_null().slice(0, 100).to_pylist() if value]
    return media_kind(paths, folder) or "nested"


def _media_bytes(values: list[bytes]) -> Shape:
    if not values:
        return "empty"
    held = [held_kind(value) for value in values]
    sounds, images = held.count("audio"), held.count("image")
    if sounds > MOSTLY * len(values):
        return "audio"
    return "image" if images > MOSTLY * len(values) else "nested"
