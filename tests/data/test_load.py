"""From a source to a table that is ready for use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from graftwork.data.load import load, load_like
from graftwork.data.quality.checks import BadRow
from graftwork.data.table import Column, Schema
from graftwork.errors import DataError, UsageError

ROWS = [{"id": str(i), "text": f"some words of row {i}", "label": "xy"[i % 2]} for i in range(20)]
SCHEMA = Schema((Column("text", "text"), Column("label", "category", "target"), Column("shop", "category", "domain")))


def test_a_training_table() -> None:
    loaded = load(ROWS)
    assert [column.name for column in loaded.table.schema.columns] == ["text", "label"]
    assert loaded.table.data.column_names == ["id", "text", "label"]
    assert loaded.table.rows.tolist() == list(range(1, 21))
    assert loaded.bad == []
    assert "target: label (category, 2 classes), found by its name" in loaded.notes


def test_bad_rows_fail_or_are_left_out() -> None:
    rows = [
        *ROWS,
        {"text": "", "label": "x"},
        {"text": "more words", "label": " "},
        {"text": "one row", "label": "odd"},
    ]
    with pytest.raises(
        DataError, match="2 rows of 23 can't be used:\n  row 21, text: empty\n  row 22, label: no label"
    ):
        load(rows)
    loaded = load(rows, on_bad_rows="skip")
    assert loaded.table.rows.tolist() == list(range(1, 21))
    assert loaded.notes[-1] == "left out of the list, each the only row of its class:\n  'odd' (row 23)"


def test_a_number_to_predict() -> None:
    rows = [{"text": f"text of row {i}", "price": f"{i}.5"} for i in range(20)]
    table = load(rows, target="price").table
    assert table.column("price").to_pylist() == [i + 0.5 for i in range(20)]
    with pytest.raises(DataError, match=r"row 21, price: '9,5' is not a number \(write it like 1234.5\)"):
        load([*rows, {"text": "last text", "price": "9,5"}], target="price", task_kind="number")


def test_several_labels_a_row_are_not_counted_as_classes() -> None:
    rows = [{"text": f"text of row {i}", "tags": f"a;t{i}"} for i in range(6)]
    with pytest.raises(DataError, match="6 classes have a single row"):
        load(rows, target="tags", task_kind="category")
    assert len(load(rows, target="tags", task_kind="category", many_labels=True).table) == 6


@pytest.mark.parametrize(
    "source",
    [
        ["a b", "c"],
        np.array(["a b", "c"]),
        pd.Series(["a b", "c"]),
        pd.DataFrame({"n": [1, 2], "text": ["a b", "c"]}, index=[7, 9]),
        {"text": ["a b", "c"]},
    ],
)
def test_tables_to_predict(source: Any) -> None:
    table = load_like(source, SCHEMA, with_target=False).table
    assert table.values("text") == ["a b", "c"]
    assert table.schema.columns == (Column("text", "text"),)


def test_a_prediction_needs_no_role() -> None:
    rows = {"text": ["a", "", "c"], "shop": [None, "x", "x"]}
    found = load_like(rows, SCHEMA, with_target=False, on_bad_rows="keep").bad
    assert [(bad.row, bad.column) for bad in found] == [(2, "text")]
    with pytest.raises(DataError, match="row 1, shop: missing"):
        load_like(rows | {"label": ["x", "y", "x"]}, SCHEMA, with_target=True)


def test_keep_answers_row_by_row() -> None:
    loaded = load_like(["a", None, "", float("nan")], SCHEMA, with_target=False, on_bad_rows="keep")
    assert len(loaded.table) == 4
    assert loaded.bad == [BadRow(row, "text", "empty") for row in (2, 3, 4)]


def test_a_list_of_texts_takes_the_name_of_the_input() -> None:
    schema = Schema((Column("question", "text"),))
    assert load_like(["a"], schema, with_target=False).table.values("question") == ["a"]
    two = Schema((Column("title", "text"), Column("body", "text")))
    with pytest.raises(UsageError, match=r"2 \(title, body\). Give dicts or a frame"):
        load_like(["a"], two, with_target=False)


def test_columns_that_are_not_there() -> None:
    with pytest.raises(DataError, match=r"the list has no column 'text', the input.*Did you mean 'texts'"):
        load_like([{"texts": "a"}], SCHEMA, with_target=False)
    with pytest.raises(DataError, match="no column 'label', the target"):
        load_like([{"text": "a"}], SCHEMA, with_target=True)
    assert load_like([{"text": "a", "label": "x"}], SCHEMA, with_target=True).table.schema.role("domain") is None


def test_labels_from_csv_and_pandas_agree() -> None:
    """Whole numbers that pandas made floating point, because one is missing, are whole again."""
    frame = pd.DataFrame({"text": ["a", "b", "c"], "label": [1.0, None, 0.0]})
    loaded = load_like(frame, SCHEMA, with_target=True, on_bad_rows="skip")
    assert loaded.table.values("label") == [1, 0]
    assert loaded.table.rows.tolist() == [1, 3]


def test_long_cells_are_reported(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,label\n" + "x" * 10_000_000 + ",a\nshort text,b\n")
    with pytest.raises(DataError, match="row 1, text: 10,000,000 characters, more than 1,000,000"):
        load(path)
    assert load_like(path, SCHEMA, with_target=False, on_bad_rows="keep").bad[0].row == 1


@pytest.mark.parametrize(
    ("name", "rows", "classes"),
    [("banking77/train.csv", 8804, 77), ("trec/train.csv", 4952, 6), ("chnsenticorp_hotel/train.csv.gz", 5436, 2)],
)
def test_real_tables_need_no_choice(real_data: Path, name: str, rows: int, classes: int) -> None:
    loaded = load(real_data / name, inputs=["text"])
    assert len(loaded.table) == rows
    assert loaded.table.schema.columns == (Column("text", "text"), Column("label", "category", "target"))
    assert f"target: label (category, {classes} classes)" in loaded.notes[0]


def test_the_schema_knows_the_domains_and_later_tables_share_them() -> None:
    rows = {"text": ["some words here", "other words"] * 4, "label": ["a", "b"] * 4, "shop": [7, 7, 30, 30] * 2}
    first = load(rows, roles={"domain": "shop"})
    (column,) = [column for column in first.table.schema.columns if column.role == "domain"]
    assert column.levels == ("30", "7")
    later = load_like({**rows, "shop": [30] * 8}, first.table.schema, with_target=True)
    assert later.table.schema.role("domain") == column


def test_of_texts_that_write_lists_of_labels_the_line_and_the_remedy_say_so(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rows = [f"some words of {at},{['a', chr(34) + 'a, b' + chr(34), '[]', 'b'][at % 4]}" for at in range(40)]
    path.write_text("\n".join(["text,tags", *rows]) + "\n", encoding="utf-8")
    assert load(path, target="tags", many_labels=True).notes[0] == "target: tags (lists of labels), as named"
    assert "classes" in load(path, target="tags").notes[0]
    path.write_text("\n".join(["text,tags", *rows, "more words,"]) + "\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"row 41, tags: no label \(write \[\] where it has none of them\)"):
        load(path, target="tags", many_labels=["tags"])
