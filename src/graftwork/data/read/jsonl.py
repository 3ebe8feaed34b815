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

from graftwork.data.columns.kinds import NESTED
from graftwork.data.notes import noted
from graftwork.data.read.decoding import open_text
from graftwork.data.read.frames import from_columns, from_records
from graftwork.data.read.json_values import DEEPEST, NotJson, depth, parse, parse_all
from graftwork.data.store.spool import spool
from graftwork.errors import DataError
from graftwork.shown import shortened_text

BATCH_ROWS = 4096
MAX_LINE = 64_000_000
"""Characters of a line; a packed file of gigabytes without a line end would otherwise take all memory."""
MAX_DOCUMENT = 1 << 29
"""Characters of a file that is read at once."""
_EXPECTED = 'Expected one object a line: {"text": "…", "label": "…"}.'
Held = list[tuple[int, dict[str, Any]]]
"""Objects with their lines."""


def read_json(path: Path, name: str, encoding: str | None = None) -> pa.Table:
    """A table from json lines (read in a stream), or from a whole json document (read at once).

    Raises DataError with the line for what is not json, or not an object, for a key that stands twice in one, and for
    lines and documents of more than `MAX_LINE` and `MAX_DOCUMENT` characters.
    """
    with open_text(path, encoding) as file:
        try:
            first, second = _line_with_text(file), _line_with_text(file)
            if not first:
                raise DataError(f"{name} is empty. Expected one json object a line.")
            file.seek(0)
            whole = len(first) == MAX_LINE or not _is_line(first, alone=not second)
            return _document(file, name) if whole else _lines(file, name)
        except MemoryError as error:
            raise DataError(f"{name} needs more memory than there is. Write one object a line (.jsonl).") from error
        except UnicodeEncodeError as error:
            raise DataError(f"{name} has half of a surrogate pair (\\ud8…) in the name of a column.") from error


def _is_line(first: str, *, alone: bool) -> bool:
    """Whether the first line stands for itself: a whole json value that is not the beginning of a document.

    alone: there is no other line, so it may be all of a document.
    """
    if first.lstrip("\ufeff \t").startswith("["):
        return False
    try:
        value = parse(first, strict=False)
    except NotJson as error:
        return error.reason == "nested too deeply"
    if not isinstance(value, dict):
        return True
    inside = list(value.values())
    columns = bool(inside) and all(isinstance(item, list | dict) for item in inside)
    wrapped = any(isinstance(item, list) and item and isinstance(item[0], dict) for item in inside)
    return not (alone and (columns or wrapped))


def _line_with_text(file: TextIO) -> str:
    while line := file.readline(MAX_LINE):
        if line.strip():
            return line
    return ""


def _lines_of(file: TextIO, name: str) -> Iterator[str]:
    number = 0
    while line := file.readline(MAX_LINE):
        number += 1
        if len(line) == MAX_LINE:
            raise DataError(
                f"{name}, line {number}: longer than {MAX_LINE:,} characters. Expected one object a line. One list of "
                f"objects becomes lines by: jq -c '.[]' {Path(name).name} > lines.jsonl"
            )
        yield line


def _document(file: TextIO, name: str) -> pa.Table:
    text = file.read(MAX_DOCUMENT)
    if len(text) == MAX_DOCUMENT:
        raise DataError(
            f"{name} is one json document of more than {MAX_DOCUMENT:,} characters, which would have to be held in "
            f"memory at once. Write one object a line: jq -c '.[]' {Path(name).name} > lines.jsonl"
        )
    try:
        found = list(parse_all(text))
    except NotJson as error:
        line = text.count("\n", 0, error.at or 0) + 1
        column = (error.at or 0) - text.rfind("\n", 0, error.at or 0)
        raise DataError(f"{name}, line {line}: not json ({error.reason}, column {column}).") from error
    if any(depth(value) > DEEPEST for value in found):
        raise DataError(f"{name} is nested too deeply to be a table.")
    if len(found) > 1 and all(isinstance(value, dict) for value in found):
        return from_records(found, name)
    if len(found) == 1:
        document, note = _table_in(found[0])
        if isinstance(document, list):
            return noted(from_records(document, name), [f"{name}: {note}"] if note else [])
        if isinstance(document, dict) and document and all(isinstance(item, list) for item in document.values()):
            return from_columns(document, name)
    raise DataError(f"{name} is json, but not a table. {_EXPECTED}")


def _table_in(document: Any) -> tuple[Any, str | None]:
    """The rows (a list) or columns (an object of lists) of a document, in the layouts that pandas and others write."""
    if not isinstance(document, dict) or not document:
        return document, None
    values = list(document.values())
    names, rows = document.get("columns"), document.get("data")
    if isinstance(names, list) and isinstance(rows, list) and all(isinstance(row, list) for row in rows):
        if all(len(row) == len(names) for row in rows):
            return [dict(zip(map(str, names), row, strict=True)) for row in rows], None
        return None, None
    if all(isinstance(item, dict) for item in values):  # {column: {row: value}}, or {row: {column: value}}
        if all(key.isdigit() for key in document) and not all(key.isdigit() for item in values for key in item):
            return values, None
        return {key: list(item.values()) for key, item in document.items()}, None
    lists = [key for key, item in document.items() if isinstance(item, list) and item and isinstance(item[0], dict)]
    if len(lists) == 1 and sum(isinstance(item, list) for item in values) == 1:
        return document[lists[0]], f"the rows are taken from '{lists[0]}'" if len(document) > 1 else None
    mixed = {key: list(item.values()) if isinstance(item, dict) else item for key, item in document.items()}
    return mixed, None


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
    for line, record in _records(file, name, strict=True):
        for key, value in record.items():
            shapes = found.setdefault(key, set())
            if isinstance(value, list | dict):
                shapes.add(_shape(value))
                if depth(value) > DEEPEST:
                    raise DataError(f"{name}, line {line}, key '{key}': nested too deeply to be read.")
            elif value is not None:
                shapes.add("text")
    return list(found), {key: _common(shapes) for key, shapes in found.items()}


def _common(shapes: set[str]) -> str:
    """What holds for every value of a column: one text among lists is a list of one; other mixtures are json text."""
    if len(shapes) == 1:
        return next(iter(shapes))
    return "list" if shapes == {"text", "list"} else "nested" if shapes else "text"


def _shape(value: list[Any] | dict[str, Any]) -> str:
    flat = isinstance(value, list) and not any(isinstance(item, list | dict) for item in value)
    return "list" if flat else "nested"


def _records(file: TextIO, name: str, *, strict: bool) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each object with its line, blank lines skipped."""
    for line, text in enumerate(_lines_of(file, name), 1):
        if not text.strip():
            continue
        try:
            record = parse(text, strict=strict)
        except NotJson as error:
            raise DataError(f"{name}, line {line}: not json ({error.reason}): {_short(text)}") from error
        if not isinstance(record, dict):
            what = {list: "a list", str: "a text", type(None): "null"}.get(type(record), "a number")
            raise DataError(f"{name}, line {line}: {what}, not an object: {_short(text)}. {_EXPECTED}")
        yield line, record


def _batches(file: TextIO, name: str, schema: pa.Schema, shapes: dict[str, str]) -> Iterator[pa.RecordBatch]:
    held: Held = []
    for item in _records(file, name, strict=False):
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
    "list": lambda value: None if value is None else [_plain(item) for item in _listed(value)],
    "nested": lambda value: None if value is None else json.dumps(value, ensure_ascii=False),
}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _encodes(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _short(text: str) -> str:
    return shortened_text(text.strip())
