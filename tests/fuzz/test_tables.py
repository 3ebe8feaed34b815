"""Damaged tables of every kind that is read: refused in words, or read without losing, shifting or making up a row."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fuzz.examine import examine
from fuzz.mutations import damaged, damaged_document, written
from graftwork.data.load import load, load_like
from graftwork.data.read.source import notes_of, read
from graftwork.data.table import Schema

HEADER = ("text", "price", "shop", "day", "label")


def rows(count: int = 40) -> list[tuple[str, ...]]:
    """Texts with quotes, separators, line breaks and scripts; numbers, categories, days and labels."""
    texts = ('said "yes", then left', "one; two | three", "line\nbreak", "日本語の文 of many words", "plain words here")
    return [
        (
            f"{at} {texts[at % 5]}",
            f"{at * 1.5}",
            ("old", "new")[at % 2],
            f"2024-01-{at % 28 + 1:02}",
            ("yes", "no")[at % 3 > 0],
        )
        for at in range(count)
    ]


def _delimited(separator: str) -> bytes:
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=separator, lineterminator="\n").writerows([HEADER, *rows()])
    return file.getvalue().encode()


def _records() -> list[dict[str, str]]:
    return [dict(zip(HEADER, row, strict=True)) for row in rows()]


def _lines() -> bytes:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in _records()).encode()


def _parquet() -> bytes:
    sink = pa.BufferOutputStream()
    columns = dict(zip(HEADER, map(list, zip(*rows(), strict=True)), strict=True))
    pq.write_table(pa.table(columns | {"price": [float(value) for value in columns["price"]]}), sink)
    return sink.getvalue().to_pybytes()


KINDS: dict[str, Callable[[], bytes]] = {
    "t.csv": lambda: _delimited(","),
    "semicolons.csv": lambda: _delimited(";"),
    "t.tsv": lambda: _delimited("\t"),
    "t.csv.gz": lambda: gzip.compress(_delimited(","), mtime=0),
    "t.jsonl": _lines,
    "t.json": lambda: written(_records()),
    "t.parquet": _parquet,
}


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Schema:
    path = tmp_path_factory.mktemp("clean") / "t.csv"
    path.write_bytes(_delimited(","))
    return load(path, target="label").table.schema


@pytest.mark.parametrize("name", KINDS)
def test_damaged_bytes(name: str, schema: Schema, tmp_path: Path) -> None:
    whole = KINDS[name]()

    def act(seed: int) -> None:
        path = tmp_path / name
        path.write_bytes(damaged(whole, seed))
        if name.endswith((".csv", ".tsv")):
            check_rows(path)
        if seed % 2:
            load(path, target="label", on_bad_rows="skip")
        else:
            kept = load_like(path, schema, with_target=False, on_bad_rows="keep")
            assert len(kept.table) == len(read(path)[0]), "a row has no answer"

    examine(act).holds()


@pytest.mark.parametrize("name", ["t.jsonl", "t.json"])
def test_damaged_records(name: str, schema: Schema, tmp_path: Path) -> None:
    """Values of every type where a text or a number was."""
    lines = name == "t.jsonl"

    def act(seed: int) -> None:
        path = tmp_path / name
        records = damaged_document(_records()[:12], seed)
        path.write_bytes(b"\n".join(map(written, records)) if lines else written(records))
        if lines:
            assert len(read(path)[0]) == len(records), "a record is lost"
        if seed % 2:
            load(path, target="label", on_bad_rows="skip")
        else:
            load_like(path, schema, with_target=True, on_bad_rows="keep")

    examine(act).holds()


def test_columns_of_any_type(schema: Schema, tmp_path: Path) -> None:
    """Sound parquet files and tables in memory whose columns have types that nobody foresaw."""

    def act(seed: int) -> None:
        table = odd_table(seed)
        path = tmp_path / "odd.parquet"
        try:
            pq.write_table(table, path)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            path = None  # parquet has no such type
        source = table if path is None or seed % 3 == 0 else path
        if seed % 2:
            load(source, target="label", on_bad_rows="skip")
        else:
            load_like(source, schema, with_target=False, on_bad_rows="keep")

    examine(act).holds()


def odd_table(seed: int) -> pa.Table:
    """12 rows of the usual columns, of which one or two have another type, some with nulls."""
    draw = random.Random(seed)
    columns: dict[str, pa.Array] = {
        name: pa.array(list(values)) for name, values in zip(HEADER, zip(*rows(12), strict=True), strict=True)
    }
    for name in draw.sample(HEADER, draw.choice((1, 2))):
        values = draw.choice(ODD)
        column = values() if callable(values) else values
        if draw.random() < 0.4 and column.type != pa.string_view():  # of which Arrow can't take rows
            column = column.take(pa.array([None if at % 5 == 1 else at for at in range(12)], pa.int64()))
        columns[name] = pa.chunked_array([column[:5], column[5:]]) if draw.random() < 0.3 else column
    return pa.table(columns)


_NUMBERS = list(range(12))
ODD: tuple[pa.Array | Callable[[], pa.Array], ...] = (
    *(
        pa.array(_NUMBERS, kind)
        for kind in (pa.int8(), pa.uint64(), pa.float16(), pa.float32(), pa.decimal128(20, 3), pa.decimal256(40, 2))
    ),
    *(
        pa.array(_NUMBERS, kind)
        for kind in (pa.date32(), pa.time32("s"), pa.time64("us"), pa.timestamp("ns", "Asia/Tokyo"), pa.duration("ms"))
    ),
    pa.array([2**64 - 1 - at for at in _NUMBERS], pa.uint64()),
    pa.array([float("nan"), float("inf"), -float("inf"), -0.0, 1e308, 5e-324] * 2),
    *(pa.array([at % 3 > 0 for at in _NUMBERS]), pa.nulls(12), pa.nulls(12, pa.string()), pa.array([""] * 12)),
    *(
        pa.array([f"{at % 2}" for at in _NUMBERS]).dictionary_encode(),
        pa.array([at % 2 for at in _NUMBERS]).dictionary_encode(),
    ),
    *(
        pa.array(["x\u200b", "e\u0301", "\u202e", " ", "a\tb", "a\nb"] * 2),
        pa.array(["y"] * 12, pa.large_string()),
        pa.array(["y"] * 12, pa.string_view()),
    ),
    *(
        pa.array([b"\xff\xfe"] * 12),
        pa.array([b""] * 12, pa.large_binary()),
        pa.array([b"12345678"] * 12, pa.binary(8)),
    ),
    *(pa.array([[1.0, 2.0]] * 12), pa.array([["a", None]] * 12), pa.array([[]] * 12, pa.list_(pa.int64()))),
    *(
        pa.array([[1, 2]] * 12, pa.list_(pa.int64(), 2)),
        pa.array([{"bytes": None, "path": "a.png"}] * 12),
        pa.array([{"a": {"b": [1]}}] * 12),
    ),
    *(pa.array([[("k", 1)]] * 12, pa.map_(pa.string(), pa.int64())), pa.array([{}] * 12, pa.struct([]))),
    lambda: pa.StringArray.from_buffers(
        12, pa.py_buffer(np.arange(0, 26, 2, dtype=np.int32)), pa.py_buffer(b"\xe6\xff" * 12)
    ),
)
"""Columns of 12 values as databases and programs export them; the last holds text that is no UTF-8."""


@pytest.mark.parametrize("target", ["label", None])
def test_damaged_frames(target: str | None) -> None:
    """Lists of dicts as programs make them, with anything in a cell."""
    examine(lambda seed: load(damaged_document(_records()[:12], seed), target=target, on_bad_rows="skip")).holds()


def check_rows(path: Path) -> None:
    """What was read are records of the file, in their order, cell by cell; if any is not there, a note says so."""
    data, _ = read(path)
    found = [tuple(value or "" for value in row.values()) for row in data.to_pylist()]
    expected = list(_reference(path, len(data.column_names)))
    if expected and found != expected:
        left = iter(expected)
        assert all(row in left for row in found), "rows that the file does not have"
        assert notes_of(data), f"{len(expected) - len(found)} rows were left out without a word"


def _reference(path: Path, width: int) -> Iterator[tuple[str, ...]]:
    """The records behind the header as the csv module reads them; nothing where it finds the file malformed."""
    text = path.read_bytes().decode("utf-8-sig", errors="replace")
    for separator in (",", "\t", ";", "|"):
        try:
            found = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True) if row]
        except csv.Error:
            continue
        if found and len(found[0]) == width and all(len(row) == width or not any(row[width:]) for row in found):
            yield from (tuple(row[:width]) for row in found[1:])
            return
