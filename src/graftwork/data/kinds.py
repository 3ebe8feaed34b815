"""What a column holds, judged from a sample of its rows: text, classes, numbers, images, audio, or nothing of use."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graftwork.data.jsonl import NESTED
from graftwork.data.marks import held_kind
from graftwork.data.paths import MOSTLY, media_kind
from graftwork.data.table import CLASSES

Shape = Literal["text", "category", "number", "image", "audio", "date", "id", "nested", "empty"]
"""A column kind, or why a column is none: dates, row ids, nested values, no value at all."""

SAMPLE_ROWS = 10_000
MISSING_NUMBERS = frozenset({"", "na", "n/a", "nan", "null", "none", "#n/a", "-"})
"""How tables write a missing number (compared in lower case). In a text or a class name these stay what they are."""

_NAMES_OF_TEXTS = """
text texts sentence sentences question query utterance review comment message content body title document description
tweet post headline summary input prompt 文本 内容 评论 评价 标题 句子 问题
"""
_TEXT_NAMES = frozenset(_NAMES_OF_TEXTS.split())
_ID_NAME = re.compile(r"(^|_)(id|idx|index|uid|uuid|guid|key|no|nr|编号|序号)$|^unnamed: \d+$", re.IGNORECASE)
_UUID = re.compile(r"^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$", re.IGNORECASE)
_DATE = re.compile(r"^\d{4}[-/.]\d{1,2}[-/.]\d{1,2}([T ].*)?$|^\d{1,2}[-/.]\d{1,2}[-/.]\d{4}$")
_AMOUNT = re.compile(r"^[-+]?[$€£¥]?\s?\d+([.,' ]\d+)+\s?[%$€£¥]?$|^[-+]?[$€£¥]?\d+\s?[%$€£¥]?$")
"""Numbers in a form that is not read: decimal commas, thousands apart, units."""
_MEASURE = re.compile(r"^[-+]?[$€£¥]?\s?\d+(?:[.,' ]\d+)*\s?([^\W\d_]{0,10}|[%$€£¥°]\w?)$")
"""A number with a unit, in whatever form."""
_FEW, _UNITS, _MISSPELT = 20, 3, 0.1


def sample(table: pa.Table) -> pa.Table:
    """At most 10,000 rows, evenly spread: tables are often sorted by class."""
    if len(table) <= SAMPLE_ROWS:
        return table
    return table.take(pa.array(np.linspace(0, len(table) - 1, SAMPLE_ROWS).astype(np.int64)))


def shape_of(name: str, column: pa.ChunkedArray, field: pa.Field, folder: Path | None = None) -> Shape:
    """What a (sampled) column holds. folder: where relative paths in it start; None for here."""
    if (field.metadata or {}).items() >= NESTED.items():
        return "nested"
    kind = field.type
    if pa.types.is_struct(kind):
        return _media(column, kind, folder)
    if pa.types.is_nested(kind):
        return "nested"
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return _media_bytes(column.drop_null().to_pylist())
    if pa.types.is_temporal(kind):
        return "date"
    values = column.drop_null().to_pylist()
    if not values:
        return "empty"
    if pa.types.is_boolean(kind) or (field.metadata or {}).items() >= CLASSES.items():
        return "category"
    if not is_string(kind):
        return "id" if _is_id(name, values) else "number"
    return _string_shape(name, [value for value in values if value.strip()], folder)


def is_string(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _string_shape(name: str, values: list[str], folder: Path | None) -> Shape:
    if not values:
        return "empty"
    if is_numbers(values):
        return "id" if _is_id(name, values) else "number"
    media = media_kind(values, folder)
    if media:
        return media
    patterns: tuple[tuple[Shape, re.Pattern[str]], ...] = (("date", _DATE), ("number", _AMOUNT))
    for shape, pattern in patterns:
        if all(pattern.search(value.strip()) for value in values):
            return shape
    if name.strip().lower() in _TEXT_NAMES:
        return "text"
    if _are_measures(values):
        return "number"
    return _words_shape(values, _is_id(name, values))


def _are_measures(values: Sequence[str]) -> bool:
    """Whether these are numbers, of which some or all have a unit or are misspelt: those rows are then named as bad.

    A few that repeat (32GB, 64GB) are classes, and so are numbers with many different endings (postcodes).
    """
    if len(set(values)) <= _FEW:
        return False
    others = [value.strip() for value in values if not is_numbers([value, "0"])]
    found = [_MEASURE.match(value) for value in others]
    units = {match[1].lower() for match in found if match}
    return len(others) < _MISSPELT * len(values) or (None not in found and len(units) <= _UNITS)


def _words_shape(values: list[str], named_id: bool) -> Shape:
    """Classes are few and repeat; texts hardly repeat, and are longer than a word; ids never repeat."""
    rows, distinct = len(values), len(set(values))
    words = sum(map(count_words, values)) / rows
    if distinct <= 0.2 * rows or (distinct <= 0.5 * rows and words <= 3) or distinct == 1 < rows:
        return "category"
    coded = sum(" " not in value.strip() and any(map(str.isdigit, value)) for value in values) > 0.9 * rows
    if distinct == rows and words < 2 and (named_id or coded):
        return "id"
    return "text"


def count_words(text: str) -> float:
    """Words between spaces; Chinese, Japanese and Korean characters count half a word each."""
    wide = sum("\u3040" <= character <= "\u9fff" or "\uac00" <= character <= "\ud7a3" for character in text)
    return max(len(text.split()), wide / 2)


def is_numbers(values: Sequence[str]) -> bool:
    """Whether every string is a number, or a mark for a missing one, and at least one is a number."""
    found = [parse_number(value) for value in values if value.strip().lower() not in MISSING_NUMBERS]
    return bool(found) and None not in found


def parse_number(text: str) -> float | None:
    """The number that `text` writes, or None. `1_000` and `infinity` are no numbers here.

    >>> parse_number(" 1e3 "), parse_number("1,5"), parse_number("1_000")
    (1000.0, None, None)
    """
    try:
        value = float(text)
    except ValueError:
        return None
    return None if "_" in text or value in (float("inf"), float("-inf")) or value != value else value


def _is_id(name: str, values: Sequence[Any]) -> bool:
    if len(values) < 2 or len(set(values)) < len(values):
        return False
    return bool(_ID_NAME.search(name)) or (isinstance(values[0], str) and all(_UUID.match(value) for value in values))


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
