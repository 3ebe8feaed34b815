"""What columns are taken for."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from graftwork.data.columns.kinds import NESTED, count_words, sample, shape_of

_UUID = "123e4567-e89b-12d3-a456-4266141740{:02d}"


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("x", [f"a sentence with number {i} in it" for i in range(30)], "text"),
        ("x", ["good film", "bad film", "dull", "great fun"], "text"),
        ("x", [f"酒店比较新，装潢不错{i}" for i in range(30)], "text"),
        ("x", ["pos", "neg"] * 10, "category"),
        ("x", ["the customer is very unhappy", "the customer is happy again"] * 30, "category"),
        ("text", ["pos", "neg"] * 10, "text"),
        ("x", ["1.5", "NA", " 2 ", None, "1e3"], "number"),
        ("x", [1, 2, 2], "number"),
        ("x", [0.5, None], "number"),
        ("x", [True, False], "category"),
        ("id", ["1", "2", "3"], "id"),
        ("row_id", [3, 1, 2], "id"),
        ("Unnamed: 0", ["0", "1"], "id"),
        ("id", ["1", "1", "2"], "number"),
        ("ref", [_UUID.format(i) for i in range(9)], "id"),
        ("ticket", [f"T{i:04d}" for i in range(30)], "id"),
        ("price", ["0,50", "1.234,50", "12 %"], "number"),
        ("price", ["€ 3.50", "-12", "$1,000"], "number"),
        ("mass", [f"{i} kg" for i in range(30)], "number"),
        ("mass", [*map(str, range(30)), "31 kg", "1,5 t", "NA"], "number"),
        ("mass", [*map(str, range(30)), "unknown"], "number"),
        ("memory", ["32GB", "64GB", "128GB"] * 9, "category"),
        ("stage", ["1", "2", "3a", "3b"] * 9, "category"),
        ("postcode", [f"{1000 + i} {chr(65 + i % 20)}B" for i in range(60)] * 6, "category"),
        ("when", ["2024-01-05", "2024-02-05 10:00"], "date"),
        ("when", ["1/2/2024", "13/2/2024"], "date"),
        ("file", ["a.JPG", "b.png"], "image"),
        ("file", ["a.wav", "b.flac"], "audio"),
        ("x", [b"\x89PNG\r\n", b"\xff\xd8\xff\xe0"], "image"),
        ("x", [b"RIFF\x00\x00\x00\x00WAVEfmt ", b"OggS"], "audio"),
        ("x", [{"bytes": b"\x89PNG", "path": None}], "image"),
        ("x", [{"bytes": None, "path": "a.wav"}], "audio"),
        ("x", [{"a": 1}], "nested"),
        ("x", [["a"], ["b"]], "nested"),
        ("x", [None, None], "empty"),
        ("x", ["", "  "], "empty"),
    ],
)
def test_shapes(name: str, values: list[Any], expected: str) -> None:
    table = pa.table({name: pa.array(values)})
    column = table.column(name)
    column = column.cast(pa.string()) if pa.types.is_null(column.type) else column
    assert shape_of(name, column, pa.field(name, column.type)) == expected


def test_json_objects_are_nested() -> None:
    field = pa.field("x", pa.string(), metadata=NESTED)
    assert shape_of("x", pa.chunked_array([['{"a": 1}']]), field) == "nested"


def test_the_sample_is_spread_over_a_sorted_table() -> None:
    table = pa.table({"x": list(range(50_000))})
    values = sample(table).column("x").to_pylist()
    assert (len(values), values[0], values[-1]) == (10_000, 0, 49_999)
    assert values == sorted(set(values))


def test_words_of_languages_without_spaces() -> None:
    assert count_words("four words of English") == 4
    assert count_words("酒店比较新") == 2.5
