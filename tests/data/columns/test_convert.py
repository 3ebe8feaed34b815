"""Columns in the form of their kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from graftwork.data.columns.convert import is_missing, to_kinds, to_numbers
from graftwork.data.load import load_like
from graftwork.data.table import Column, Schema, Table
from graftwork.errors import DataError


@pytest.mark.parametrize(
    ("values", "expected", "bad"),
    [
        (["1", " 2.5 ", "-1e3", "+4"], [1.0, 2.5, -1000.0, 4.0], []),
        (["NA", "nan", "", None, "null", "N/A", "-"], [None] * 7, []),
        (["1,5", "1_000", "abc", "inf", "12%"], [None] * 5, [0, 1, 2, 3, 4]),
        ([1, None, 3], [1.0, None, 3.0], []),
        ([1.5, float("nan"), float("inf")], [1.5, None, None], [2]),
        ([True, False], [1.0, 0.0], []),
        ([["a"], None], [None, None], [0]),
    ],
)
def test_numbers(values: list[Any], expected: list[float | None], bad: list[int]) -> None:
    numbers, unreadable = to_numbers(pa.chunked_array([pa.array(values)]))
    assert numbers.to_pylist() == expected
    assert unreadable.tolist() == bad


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["a", "", " \u3000", None], [False, True, True, True]),
        ([1.0, float("nan"), None], [False, True, True]),
        ([["a"], [], None], [False, False, True]),
    ],
)
def test_missing(values: list[Any], expected: list[bool]) -> None:
    assert is_missing(pa.array(values)).tolist() == expected


def _converted(values: list[Any], column: Column) -> tuple[pa.ChunkedArray, list[str]]:
    table = Table(pa.table({column.name: values}), Schema((column,)), "t", np.arange(1, len(values) + 1))
    result, notes = to_kinds(table)
    return result.column(column.name), notes


@pytest.mark.parametrize(
    ("values", "expected", "kind"),
    [
        ([" a", "a ", "", None], ["a", "a", None, None], pa.string()),
        ([1.0, None, 0.0], [1, None, 0], pa.int64()),
        ([1.5, 2.0], [1.5, 2.0], pa.float64()),
        ([3, 4], [3, 4], pa.int64()),
        ([1e25, 1e24], [1e25, 1e24], pa.float64()),
        ([True, False], [True, False], pa.bool_()),
        ([["a"], []], [["a"], []], pa.list_(pa.string())),
    ],
)
def test_categories_keep_their_own_type(values: list[Any], expected: list[Any], kind: pa.DataType) -> None:
    column, _ = _converted(values, Column("y", "category", "target"))
    assert (column.to_pylist(), column.type) == (expected, kind)


def test_removed_spaces_are_said() -> None:
    assert _converted([" a", "b", ""], Column("y", "category"))[1] == ["y: spaces around values were removed in 1 rows"]
    assert _converted(["a", "b", ""], Column("y", "category"))[1] == []


def test_texts_are_text() -> None:
    assert _converted([1, None, 3], Column("x", "text"))[0].to_pylist() == ["1", None, "3"]
    assert _converted([b"caf\xc3\xa9", None], Column("x", "text"))[0].to_pylist() == ["café", None]
    assert _converted(["1", "NA"], Column("x", "number"))[0].to_pylist() == [1.0, None]


def test_lists_in_a_column_of_texts_are_named(tmp_path: Path) -> None:
    schema = Schema((Column("text", "text"),))
    (tmp_path / "t.jsonl").write_text('{"text": []}\n{"text": "a b"}\n')
    with pytest.raises(DataError, match="text holds lists or objects"):
        load_like(tmp_path / "t.jsonl", schema, with_target=False, on_bad_rows="keep")
