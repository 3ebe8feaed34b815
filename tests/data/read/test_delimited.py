"""csv and tsv: what is read, and what is refused with its line."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftwork.data.read import delimited
from graftwork.data.read.source import read
from graftwork.errors import DataError


def _rows(tmp_path: Path, content: str | bytes, name: str = "data.csv") -> list[dict[str, object]]:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    table, called = read(path)
    assert called == str(path)
    return table.to_pylist()


def test_every_field_is_text_and_empty_is_missing(tmp_path: Path) -> None:
    rows = _rows(tmp_path, 'text,label,n\nNA,007,1.50\n"",None,\n')
    assert rows == [{"text": "NA", "label": "007", "n": "1.50"}, {"text": None, "label": "None", "n": None}]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('text,label\n"a, ""b""\nc",x\n', [{"text": 'a, "b"\nc', "label": "x"}]),
        ('text,label\n5" screen,x\n', [{"text": '5" screen', "label": "x"}]),
        ("text;label\na, b;x\n", [{"text": "a, b", "label": "x"}]),
        ("\ufefftext,label\r\na,x\r\n\r\nb,y\r\n", [{"text": "a", "label": "x"}, {"text": "b", "label": "y"}]),
        ("text,label\ra,x\r", [{"text": "a", "label": "x"}]),
        (" text , label\na,x,,\n", [{"text": "a", "label": "x"}]),
        ("text\none\n\n", [{"text": "one"}]),
        (",text\n0,a\n", [{"Unnamed: 0": "0", "text": "a"}]),
    ],
)
def test_what_spreadsheets_write(tmp_path: Path, content: str, expected: list[dict[str, str]]) -> None:
    assert _rows(tmp_path, content) == expected


def test_tsv_with_quotes_as_plain_characters(tmp_path: Path) -> None:
    rows = _rows(tmp_path, 'text\tlabel\n"so" they say\ta\n"open\tb\n', "data.tsv")
    assert [row["text"] for row in rows] == ['"so" they say', '"open']
    assert _rows(tmp_path, 'text\tlabel\n"a\tb"\tc\n', "data.tsv") == [{"text": "a\tb", "label": "c"}]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('text,label\nok,a\n"He said "hi" to me",b\n', r"data.csv, line 3: a quote closes in the middle"),
        ('text,label\nok,a\n"open,b\nx,c\n', r"line 3: a quote that opens here is never closed"),
        ('text,label\n"open,b\nx,c\n"y",d\n', r"line 2: a quote closes .* \(the text goes on to line 4\)"),
        ("text,label\nok,a\nhello, world,b\n", r"line 3: 3 fields, but the header has 2 \(text, label\).*quotes"),
        ('text,label\n"two\nlines",a\nonly\n', r"line 4: 1 field, but the header has 2.*missing"),
        ("text,label\na\nb\nc\n", r"line 2: 1 field.*2 more such lines: 3, 4"),
        ("text,label,text\na,b,c\n", r"more than one column named 'text'.*Rename"),
        ("text,label\n", r"holds a header \(text, label\) but no rows"),
        ("\n\n", r"is empty. Expected a header"),
        ("text,label\na,b\nc\0,d\n", r"row 2, column 'text': a NUL byte"),
    ],
)
def test_broken_files_are_refused(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(DataError, match=message.replace("\n", ".")):
        _rows(tmp_path, content)


def test_long_cells_and_unclosed_quotes_over_a_long_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = csv.field_size_limit()
    rows = _rows(tmp_path, 'text,label\n"' + "x" * 10_000_000 + '",a\n')
    assert len(str(rows[0]["text"])) == 10_000_000
    monkeypatch.setattr(delimited, "MAX_FIELD", 1000)
    with pytest.raises(DataError, match="line 3: a field is longer than 1,000 characters"):
        _rows(tmp_path, 'text,label\na,b\n"open,c\n' + "more text,d\n" * 500)
    assert csv.field_size_limit() == before


def test_rows_are_counted_across_batches(tmp_path: Path) -> None:
    lines = ["text,label"] + [f"t{i},a" for i in range(2 * delimited.BATCH_ROWS)]
    assert len(_rows(tmp_path, "\n".join(lines))) == 2 * delimited.BATCH_ROWS
    lines[delimited.BATCH_ROWS + 5] = "bad\0,a"
    with pytest.raises(DataError, match=f"row {delimited.BATCH_ROWS + 5}, "):
        _rows(tmp_path, "\n".join(lines))


_CELL = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)


@given(rows=st.lists(st.tuples(_CELL, _CELL), min_size=1, max_size=8))
def test_whatever_csv_writes_comes_back(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]) -> None:
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows([("text", "label"), *rows])
    path = tmp_path_factory.mktemp("csv") / "data.csv"
    path.write_text(buffer.getvalue(), encoding="utf-8", newline="")
    found = [(row["text"] or "", row["label"] or "") for row in read(path)[0].to_pylist()]
    assert found == rows
