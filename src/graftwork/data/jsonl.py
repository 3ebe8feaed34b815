"""json files: one object a line, or one list of objects, or one object of columns.

Values come out as text; what is a number is decided by the schema, as for csv. Lists of plain values stay lists
(several labels a row). Nested objects are kept as json text in a column marked as nested, which can't be an input.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa

from graftwork.data.decoding import open_text
from graftwork.data.frames import from_columns, from_records
from graftwork.data.spool import spool
from graftwork.errors import DataError

BATCH_ROWS = 4096
_EXPECTED = 'Expected one object a line: {"text": "…", "label": "…"}.'
Held = list[tuple[int, dict[str, Any]]]
"""Objects with their lines."""
NESTED = {b"graftwork": b"nested"}
"""Metadata of a column that holds json objects as text."""


def read_json(path: Path, name: str, encoding: str | None = None) -> pa.Table:
    """A table from json lines (read in a stream), or from a whole json document (read at once).

    Raises DataError with the line for what is not json, or not an object.
    """
    with open_text(path, encoding) as file:
        first = next((line for line in file if line.strip()), "")
        if not first:
            raise DataError(f"{name} is empty. Expected one json object a line.")
        file.seek(0)
        if not _is_line(first):
            return _document(file, name)
        return _lines(file, name)


def _is_line(first: str) -> bool:
    """Whether the first line stands for itself: a whole json value that is not the beginning of a document."""
    if first.lstrip("\ufeff \t").startswith("["):
        return False
    try:
        value = json.loads(first)
    except json.JSONDecodeError:
        return first.strip() != "{"
    return not (isinstance(value, dict) and value and all(isinstance(item, list | dict) for item in value.values()))


def _document(file: TextIO, name: str) -> pa.Table:
    try:
        document = json.load(file)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data":  # lines after all, of lists or nested objects only
            file.seek(0)
            return _lines(file, name)
        raise DataError(f"{name}, line {error.lineno}: not json ({error.msg}, column {error.colno}).") from error
    except RecursionError as error:
        raise DataError(f"{name} is nested too deeply to be a table.") from error
    if isinstance(document, list):
        return from_records(document, name)
    if isinstance(document, dict) and document:
        # the layout of pandas' to_json: {column: {row: value}}
        columns = {key: list(item.values()) if isinstance(item, dict) else item for key, item in document.items()}
        if all(isinstance(values, list) for values in columns.values()):
            return from_columns(columns, name)
    raise DataError(f"{name} is json, but not a table. {_EXPECTED}")


def _lines(file: TextIO, name: str) -> pa.Table:
    keys, mixed = _survey(file, name)
    if not keys:
        raise DataError(f"{name} holds objects without any key. {_EXPECTED}")
    file.seek(0)
    schema = pa.schema([pa.field(key, _TYPES[mixed[key]], metadata=_METADATA[mixed[key]]) for key in keys])
    return spool(_batches(file, name, schema, mixed), schema)


_TYPES = {"text": pa.string(), "list": pa.list_(pa.string()), "nested": pa.string()}
_METADATA = {"text": None, "list": None, "nested": NESTED}


def _survey(file: TextIO, name: str) -> tuple[list[str], dict[str, str]]:
    """The keys in the order they first appear, and whether each holds text, lists of plain values, or nested values."""
    found: dict[str, set[str]] = {}
    for _, record in _records(file, name):
        for key, value in record.items():
            shapes = found.setdefault(key, set())
            if value is not None:
                shapes.add("text" if not isinstance(value, list | dict) else _shape(value))
    return list(found), {key: _common(shapes) for key, shapes in found.items()}


def _common(shapes: set[str]) -> str:
    """What holds for every value of a column; a mixture can only be kept as json text."""
    if len(shapes) == 1:
        return next(iter(shapes))
    return "nested" if shapes else "text"


def _shape(value: list[Any] | dict[str, Any]) -> str:
    flat = isinstance(value, list) and not any(isinstance(item, list | dict) for item in value)
    return "list" if flat else "nested"


def _records(file: TextIO, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each object with its line, blank lines skipped."""
    for line, text in enumerate(file, 1):
        if not text.strip():
            continue
        try:
            record = json.loads(text)
        except (json.JSONDecodeError, RecursionError) as error:
            reason = (
                f"{error.msg}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else "nested too deeply"
            )
            raise DataError(f"{name}, line {line}: not json ({reason}): {_short(text)}") from error
        if not isinstance(record, dict):
            what = {list: "a list", str: "a text", type(None): "null"}.get(type(record), "a number")
            raise DataError(f"{name}, line {line}: {what}, not an object: {_short(text)}. {_EXPECTED}")
        yield line, record


def _batches(file: TextIO, name: str, schema: pa.Schema, shapes: dict[str, str]) -> Iterator[pa.RecordBatch]:
    held: Held = []
    for item in _records(file, name):
        held.append(item)
        if len(held) == BATCH_ROWS:
            yield _batch(held, name, schema, shapes)
            held = []
    if held:
        yield _batch(held, name, schema, shapes)


def _batch(
    held: list[tuple[int, dict[str, Any]]], name: str, schema: pa.Schema, shapes: dict[str, str]
) -> pa.RecordBatch:
    columns = []
    for column in schema:
        convert = _CONVERT[shapes[column.name]]
        try:
            columns.append(pa.array([convert(record.get(column.name)) for _, record in held], column.type))
        except UnicodeEncodeError as error:
            line = next(line for line, record in held if not _encodes(record.get(column.name)))
            raise DataError(
                f"{name}, line {line}, column '{column.name}': half of a surrogate pair (\\ud8…)."
            ) from error
    return pa.record_batch(columns, schema=schema)


def _plain(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value != value else str(value)


_CONVERT: dict[str, Callable[[Any], Any]] = {
    "text": _plain,
    "list": lambda value: None if value is None else [_plain(item) for item in value],
    "nested": lambda value: None if value is None else json.dumps(value, ensure_ascii=False),
}


def _encodes(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _short(text: str) -> str:
    text = text.strip()
    return text if len(text) <= 60 else f"{text[:60]}…"
