"""json: lines, documents, lists and nested values."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from graftwork.data.read import jsonl
from graftwork.data.read.source import read
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


@pytest.mark.parametrize(
    "content",
    [
        '{"text": "a", "label": "x"}{"text": "b", "label": "y"}',
        '{\n"text": "a", "label": "x"\n}\n{\n"text": "b", "label": "y"\n}\n',
        '{"text": "a", "label": "x"},\n{"text": "b", "label": "y"},\n',
        '{"data": [{"text": "a", "label": "x"}, {"text": "b", "label": "y"}], "version": 1}',
        '{\n"data": [{"text": "a", "label": "x"},\n{"text": "b", "label": "y"}]}',
        '{"columns": ["text", "label"], "index": [0, 1], "data": [["a", "x"], ["b", "y"]]}',
        '{"0": {"text": "a", "label": "x"}, "1": {"text": "b", "label": "y"}}',
        '{"text": {"0": "a", "1": "b"}, "label": {"0": "x", "1": "y"}}',
        '{"schema": {"fields": []}, "data": [{"text": "a", "label": "x"}, {"text": "b", "label": "y"}]}',
        '\ufeff{"text": "a", "label": "x"}\r\n{"text": "b", "label": "y"}\r\n',
    ],
)
def test_layouts_of_other_programs(tmp_path: Path, content: str) -> None:
    assert _read(tmp_path, content).to_pylist() == [{"text": "a", "label": "x"}, {"text": "b", "label": "y"}]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"text": "a"}\n{"text": "a", "x": ' + "[" * 100_000 + "]" * 100_000 + "}\n", r"line 2: .*nested too deeply"),
        ('{"text": "a", "x": ' + "[" * 300 + "]" * 300 + "}\n", r"line 1, key 'x': nested too deeply"),
        ("[" * 100_000 + "]" * 100_000, "nested too deeply"),
        ('{"a":' * 50_000 + "1" + "}" * 50_000, "nested too deeply"),
        ('{"text": "a"}\n{"text": "a", "text": "b"}\n', r"line 2: .*the key 'text' stands more than once"),
        ('[{"text": "a", "text": "b"}]', "the key 'text' stands more than once"),
        ('{"text\\ud83d": "a"}\n', "half of a surrogate pair .* in the name of a column"),
        ('{"text": "a", "n": ["\\ud83d"]}\n', "line 1, column 'n': half of a surrogate pair"),
        ("[1, 2]", "row 1 is 1"),
        ("{'text': 'a'}\n", "line 1: not json"),
    ],
)
def test_what_can_not_be_read_is_one_clear_error(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        _read(tmp_path, content)


def test_numbers_beyond_any_type_are_texts(tmp_path: Path) -> None:
    many = "9" * 5000
    table = _read(tmp_path, f'{{"n": {many}}}\n{{"n": 1}}\n{{"n": NaN}}\n{{"n": Infinity}}\n')
    assert table.column("n").to_pylist() == [many, "1", None, "inf"]


def test_one_label_among_lists_is_a_list_of_one(tmp_path: Path) -> None:
    table = _read(tmp_path, '{"label": "a"}\n{"label": ["a", "b"]}\n{"label": null}\n')
    assert table.column("label").to_pylist() == [["a"], ["a", "b"], None]


def test_lines_and_documents_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl, "MAX_LINE", 1000)
    with pytest.raises(DataError, match=r"line 2: longer than 1,000 characters.*jq -c"):
        _read(tmp_path, '{"text": "a"}\n{"text": "' + "x" * 2000 + '"}\n')
    monkeypatch.setattr(jsonl, "MAX_DOCUMENT", 50)
    with pytest.raises(DataError, match="one json document of more than 50 characters"):
        _read(tmp_path, '[\n{"text": "a"},\n' + '{"text": "b"},\n' * 20 + '{"text": "c"}]')


def test_a_document_may_be_one_long_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl, "MAX_LINE", 100)
    for content in (
        "[" + ", ".join(['{"text": "a"}'] * 50) + "]",
        '{"text": [' + ", ".join(['"a"'] * 50) + "]}",
    ):
        assert _read(tmp_path, content).column("text").to_pylist() == ["a"] * 50
