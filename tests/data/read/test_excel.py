"""Excel workbooks as tables: the values as csv would hold them, and what is refused."""

from __future__ import annotations

import datetime
import importlib.util
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from graftwork.data.load import load
from graftwork.data.read import excel
from graftwork.data.read.source import notes_of, read
from graftwork.errors import DataError


def _book(path: Path, **sheets: list[list[Any]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def test_values_are_those_of_a_csv(tmp_path: Path) -> None:
    day, hour = datetime.datetime(2024, 1, 31), datetime.datetime(2024, 1, 31, 9, 30)
    rows = [
        [],
        [" text ", "n", "when", "yes", None],
        ["good", 7, day, True],
        [None, None, None, None],
        ["bad", 0.5, hour, False],
        ["", 12345678901234, None, None],
    ]
    table = read(_book(tmp_path / "a.xlsx", Data=rows))[0]
    assert table.to_pylist() == [
        {"text": "good", "n": "7", "when": "2024-01-31", "yes": "true"},
        {"text": "bad", "n": "0.5", "when": "2024-01-31 09:30:00", "yes": "false"},
        {"text": None, "n": "12345678901234", "when": None, "yes": None},
    ]
    assert notes_of(table) == []


def test_zeros_that_are_shown_are_kept(tmp_path: Path) -> None:
    path = _book(tmp_path / "a.xlsx", Data=[["text", "code"], ["a", 42], ["b", 7]])
    book = openpyxl.load_workbook(path)
    for row in (2, 3):
        book["Data"].cell(row, 2).number_format = "00000"
    book.save(path)
    assert read(path)[0].column("code").to_pylist() == ["00042", "00007"]


def test_sheets_are_named_behind_the_file(tmp_path: Path) -> None:
    path = _book(tmp_path / "a.xlsx", March=[["text"], ["a"]], April=[["text"], ["b"]])
    table = read(path)[0]
    assert table.column("text").to_pylist() == ["a"]
    assert "read the sheet 'March'; others: April (a.xlsx#SHEET)" in notes_of(table)[0]
    april, name = read(f"{path}#April")
    assert april.column("text").to_pylist() == ["b"]
    assert name == str(path)
    with pytest.raises(DataError, match=r"has no sheet 'Apirl'.*April"):
        read(f"{path}#Apirl")


def test_a_workbook_trains(tmp_path: Path) -> None:
    rows = [["text", "label"], *[[f"words {i}", f"{i % 3:03}"] for i in range(30)]]
    loaded = load(_book(tmp_path / "a.xlsx", Data=rows))
    assert loaded.table.schema.targets[0].kind == "category"
    assert set(loaded.table.values("label")) == {"000", "001", "002"}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "is empty"),
        ([["text", "label"]], r"holds a header \(text, label\) but no rows"),
        ([["text", "text"], ["a", "b"]], "more than one column named 'text'"),
        ([["text", "n"], ["a", "=1+1"], ["b", 2]], "formulas that were never computed.*Open it in a spreadsheet"),
        ([["text"], ["a", "b"]], "2 cells, but the row with the column names has 1"),
        ([["text", "n"], ["a", 1], ["b", 2], ["Total", 3], ["c", 2]], None),
        (
            [["text", "label"], ["a", "x"], ["b", "y"], ["c", "x"], ["Total", 3]],
            "total.*Delete the line: in the",
        ),
        ([["Report"], ["text", "label"], ["a", "x"]], r"a\.xlsx: a row has 2 cells.*title above the table, delete it"),
    ],
)
def test_what_is_refused(tmp_path: Path, rows: list[list[Any]], message: str | None) -> None:
    path = _book(tmp_path / "a.xlsx", Data=rows)
    if message is None:
        assert len(read(path)[0]) == 4
        return
    with pytest.raises(DataError, match=message):
        read(path)


def test_bombs_and_entities(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _book(tmp_path / "a.xlsx", Data=[["text"], ["a" * 5000]])
    with monkeypatch.context() as patch:
        patch.setattr(excel, "MAX_UNPACKED", 4000)
        with pytest.raises(DataError, match="unpacks to more than"):
            read(path)
    with zipfile.ZipFile(path, "a") as packed:
        packed.writestr("xl/worksheets/more.xml", '<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>')
    with pytest.raises(DataError, match="declares entities"):
        read(path)


def test_a_damaged_workbook(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("[Content_Types].xml", "<nothing/>")
    with pytest.raises(DataError, match="is not a sound Excel workbook"):
        read(path)


def test_without_openpyxl_the_message_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _book(tmp_path / "a.xlsx", Data=[["text"], ["a"]])
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)  # noqa: ARG005
    with pytest.raises(DataError, match=r"pip install 'graftwork\[excel\]'; or save the sheet"):
        read(path)
