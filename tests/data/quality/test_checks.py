"""Bad rows are found, listed by number, and failed or left out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from graftwork.data.load import load
from graftwork.data.quality.checks import MAX_TEXT_CHARS, BadRow, apply, check, check_classes
from graftwork.data.table import Column, Schema, Table
from graftwork.errors import DataError

TEXT, LABEL = Column("text", "text"), Column("label", "category", "target")


def _table(columns: dict[str, Any], *schema: Column, first: int = 1) -> Table:
    rows = len(next(iter(columns.values())))
    return Table(pa.table(columns), Schema(schema or (TEXT, LABEL)), "t.csv", np.arange(first, first + rows))


def test_empty_texts_missing_labels_and_long_cells() -> None:
    texts = ["ok", "", " \t", None, "ok", "x" * (MAX_TEXT_CHARS + 1), "x" * MAX_TEXT_CHARS]
    table = _table({"text": texts, "label": ["a", "b", "c", "d", None, "f", " "]}, first=10)
    assert check(table, need_target=True) == [
        BadRow(11, "text", "empty"),
        BadRow(12, "text", "empty"),
        BadRow(13, "text", "empty"),
        BadRow(14, "label", "no label"),
        BadRow(15, "text", "1,000,001 characters, more than 1,000,000"),
        BadRow(16, "label", "no label"),
    ]
    assert {bad.column for bad in check(table, need_target=False)} == {"text"}


def test_one_text_of_several_is_enough() -> None:
    table = _table(
        {"title": ["a", None, ""], "body": [None, "b", None]}, Column("title", "text"), Column("body", "text")
    )
    assert check(table, need_target=False) == [BadRow(3, "title, body", "empty")]


def test_numbers_weights_and_splits() -> None:
    columns = {
        "text": ["t"] * 5,
        "y": ["1.5", "abc", "NA", "inf", "2"],
        "w": [1.0, -1.0, None, float("nan"), 0.0],
        "part": ["train", "Dev", "tset", None, "test"],
    }
    schema = [
        TEXT,
        Column("y", "number", "target"),
        Column("w", "number", "weight"),
        Column("part", "category", "split"),
    ]
    assert list(map(str, check(_table(columns, *schema), need_target=True))) == [
        "row 2, w: the weight -1.0 is negative",
        "row 2, y: 'abc' is not a number",
        "row 3, part: 'tset' is no split (train, validation or test)",
        "row 3, w: missing",
        "row 3, y: missing",
        "row 4, part: missing",
        "row 4, w: missing",
        "row 4, y: 'inf' is not a number",
    ]


def test_lists_of_labels_may_be_empty_but_not_missing() -> None:
    table = _table({"text": ["a", "b", "c"], "label": [["x"], [], None]})
    assert check(table, need_target=True) == [BadRow(3, "label", "no label")]


def test_fail_lists_the_first_ten_and_names_the_flag() -> None:
    table = _table({"text": [None] * 12 + ["ok"], "label": ["a"] * 13})
    with pytest.raises(DataError) as caught:
        apply(table, check(table, need_target=True), "fail")
    lines = str(caught.value).splitlines()
    assert lines[0] == "t.csv: 12 rows of 13 can't be used:"
    assert lines[1] == "  row 1, text: empty"
    assert lines[10:12] == ["  row 10, text: empty", "  … and 2 more"]
    assert "--on-bad-rows skip" in lines[12]


def test_skip_leaves_rows_out_and_says_so() -> None:
    table = _table({"text": ["a", "", "c", "d"], "label": ["x", "y", None, "y"]})
    kept, notes = apply(table, check(table, need_target=True), "skip")
    assert kept.rows.tolist() == [1, 4]
    assert kept.values("text") == ["a", "d"]
    assert notes == ["left out 2 of the 4 rows of t.csv:\n  row 2, text: empty\n  row 3, label: no label"]
    assert apply(table, [], "fail") == (table, [])


def test_nothing_left() -> None:
    table = _table({"text": ["", None], "label": ["a", "b"]})
    with pytest.raises(DataError, match="none of the 2 rows can be used"):
        apply(table, check(table, need_target=True), "skip")


def test_one_class_only() -> None:
    table = _table({"text": ["a", "b"], "label": ["x", "x"]})
    for choice in ("fail", "skip"):
        with pytest.raises(DataError, match="label has one class, 'x', in all 2 rows"):
            check_classes(table, "label", choice)  # type: ignore[arg-type]


def test_classes_with_a_single_row() -> None:
    table = _table({"text": list("abcdef"), "label": ["x", "rare", "y", "y", "x", "odd"]}, first=100)
    with pytest.raises(DataError) as caught:
        check_classes(table, "label", "fail")
    assert "2 classes have a single row in label" in str(caught.value)
    assert "'rare' (row 101)\n  'odd' (row 105)" in str(caught.value)
    assert "--on-bad-rows skip" in str(caught.value)
    kept, notes = check_classes(table, "label", "skip")
    assert kept.rows.tolist() == [100, 102, 103, 104]
    assert "'odd' (row 105)" in notes[0]


def test_too_few_classes_are_left() -> None:
    table = _table({"text": list("abc"), "label": ["x", "x", "y"]})
    with pytest.raises(DataError, match="only one class of 2 in label has two rows"):
        check_classes(table, "label", "skip")
    assert check_classes(_table({"text": ["a"], "label": [["x"]]}), "label", "fail")[1] == []


def test_a_number_column_without_any_number_can_be_read_otherwise() -> None:
    ages = _table({"age": ["1 year", "2 years"], "label": ["a", "b"]}, Column("age", "number"), LABEL)
    with pytest.raises(DataError, match=r"Or read the column as it is: --kind age=category"):
        apply(ages, check(ages, need_target=True), "fail")
    some = _table({"age": ["1 year", "2"], "label": ["a", "b"]}, Column("age", "number"), LABEL)
    with pytest.raises(DataError, match="row 1, age") as raised:
        apply(some, check(some, need_target=True), "fail")
    assert "--kind" not in str(raised.value)


def test_what_shows_nothing_is_empty(tmp_path: Path) -> None:
    texts = ["\u200b", "\ufeff\u2060", "\u3164", " \u00a0\t", "a\u200b"]
    (tmp_path / "a.csv").write_text("text,label\n" + "".join(f"{text},x\n" for text in texts), encoding="utf-8")
    with pytest.raises(DataError, match=r"4 rows of 5 can't be used:\n  row 1, text: empty\n  row 2, text: empty"):
        load(tmp_path / "a.csv")
