"""json: lines, documents, lists and nested values."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from graftwork.data import jsonl
from graftwork.data.read import read
from graftwork.errors import DataError


def _read(tmp_path: Path, content: str, name: str = "a.jsonl") -> pa.Table:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    return read(path)[0]


def test_values_become_text_and_late_keys_count(tmp_path: Path) -> None:
    table = _read(tmp_path, '{"text": "a", "n": 1}\n\n{"text": null, "n": 2.5, "late": true}\n{"n": NaN}\n')
    assert table.to_pylist() == [
        {"text": "a", "n": "1", "late": None},
        {"text": None, "n": "2.5", "late": "true"},
        {"text": None, "n": None, "late": None},
    ]


def test_lists_of_labels_stay_lists_and_objects_become_marked_text(tmp_path: Path) -> None:
    table = _read(tmp_path, '{"t": ["a", "b"], "m": {"x": 1}}\n{"t": [], "m": null}\n{"t": null, "m": [[1]]}\n')
    assert table.column("t").to_pylist() == [["a", "b"], [], None]
    assert table.column("m").to_pylist() == ['{"x": 1}', None, "[[1]]"]
    assert table.schema.field("m").metadata == jsonl.NESTED


@pytest.mark.parametrize(
    "content",
    [
        '[{"text": "a", "n": 1}, {"text": "b"}]',
        '[\n  {"text": "a", "n": 1},\n  {"text": "b"}\n]\n',
        '{"text": ["a", "b"], "n": [1, null]}',
        '{"text": {"0": "a", "1": "b"}, "n": {"0": 1, "1": null}}',
    ],
)
def test_documents(tmp_path: Path, content: str) -> None:
    assert _read(tmp_path, content, "a.json").to_pylist() == [{"text": "a", "n": 1}, {"text": "b", "n": None}]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"text": "a"}\n{"text": "b"\n', r"line 2: not json \(Expecting .*column"),
        ("text,label\na,b\n", r"line 1: not json"),
        ('{"text": "a"}\n["b"]\n', r"line 2: a list, not an object"),
        ('{"text": "a"}\n3\n', r"line 2: a number, not an object"),
        ('"a"\n"b"\n', r"line 1: a text, not an object"),
        ("\n \n", "is empty"),
        ("{}\n{}\n", "without any key"),
        ('{"text": "\\ud800"}\n', r"line 1, column 'text': half of a surrogate pair"),
        ('{\n "text": "a"\n}', "is json, but not a table"),
        ("[1, 2]", "row 1 is 1, a int. Expected a dict"),
    ],
)
def test_refused(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        _read(tmp_path, content)


def test_lists_only_on_every_line_are_still_lines(tmp_path: Path) -> None:
    table = _read(tmp_path, '{"t": ["a"]}\n{"t": ["b", "c"]}\n')
    assert table.column("t").to_pylist() == [["a"], ["b", "c"]]
