"""Which column is what: named, inferred, said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pytest

from graftwork.data.columns.schema import infer
from graftwork.data.table import Column, Schema
from graftwork.errors import DataError, UsageError

N = 40
TABLE: dict[str, list[Any]] = {
    "id": list(range(N)),
    "text": [f"some words of row {i}" for i in range(N)],
    "price": [i * 1.5 for i in range(N)],
    "shop": ["north", "south"] * (N // 2),
    "label": ["a", "b", "c", "d"] * (N // 4),
}


def _infer(columns: Mapping[str, Any] = TABLE, **options: Any) -> tuple[Schema, list[str]]:
    return infer(pa.table(dict(columns)), "t.csv", **{"target": None, **options})


def test_a_usual_table_needs_no_choice() -> None:
    schema, notes = _infer()
    assert schema.columns == (
        Column("text", "text"),
        Column("price", "number"),
        Column("shop", "category"),
        Column("label", "category", "target"),
    )
    assert notes == [
        "target: label (category, 4 classes), found by its name",
        "input: text (text)",
        "input: price (numbers)",
        "input: shop (categories)",
        "ignored: id (row ids: every row has another one)",
    ]


def test_named_columns() -> None:
    schema, notes = _infer(target="shop", inputs=["text", "price"], roles={"domain": "label", "weight": "id"})
    assert schema.inputs == (Column("text", "text"), Column("price", "number"))
    assert schema.targets == (Column("shop", "category", "target"),)
    assert schema.role("domain") == Column("label", "category", "domain")
    assert schema.role("weight") == Column("id", "number", "weight")
    assert "input: price (number), as named" in notes


@pytest.mark.parametrize("name", ["Unnamed: 0", "__index_level_0__"])
def test_row_numbers_that_pandas_wrote_are_left_out_even_where_they_repeat(name: str) -> None:
    schema, notes = _infer({name: [at % 20 for at in range(N)], **TABLE})
    assert name not in [column.name for column in schema.inputs]
    assert f"ignored: {name} (row numbers as pandas writes them)" in notes


def test_a_column_is_read_as_the_user_says() -> None:
    schema, notes = _infer(inputs=["text", "price", "id"], kinds={"price": "text"})
    assert schema.inputs == (Column("text", "text"), Column("price", "text"), Column("id", "text"))
    assert "input: price (looks like numbers, read as text), as named" in notes
    assert "input: id (looks like row ids, read as text), as named" in notes
    schema, _ = _infer(kinds={"id": "number", "price": "category"})
    assert {column.name: column.kind for column in schema.inputs} == {
        "id": "number",
        "text": "text",
        "price": "category",
        "shop": "category",
    }


def test_ignored_columns_are_not_inputs_nor_the_target() -> None:
    schema, notes = _infer(ignore=["label", "price", "id"])
    assert schema.targets[0].name == "shop"
    assert notes == [
        "target: shop (category, 2 classes), the only column with few distinct values",
        "input: text (text)",
        "ignored: label, price, id, as named",
    ]


@pytest.mark.parametrize(
    ("values", "kind", "classes"),
    [
        (["1", "0"] * 20, "category", "2 classes"),
        ([1, 2, 3, 4, 5] * 8, "category", "5 classes"),
        ([1.0, 0.0, None, 1.0] * 10, "category", "2 classes"),
        (list(range(100, 140)), "number", None),
        ([0.5, 1.0] * 20, "number", None),
        (["1.5", "2", "NA", "3.25"] * 10, "number", None),
        ([True, False] * 20, "category", "2 classes"),
        (["007", "x"] * 20, "category", "2 classes"),
        ([["a"], ["a", "b"]] * 20, "category", None),
        ([f"class {i % 15} of many" for i in range(N)], "category", "15 classes"),
    ],
)
def test_kind_of_the_target(values: list[Any], kind: str, classes: str | None) -> None:
    schema, notes = _infer({"text": TABLE["text"], "y": values}, target="y")
    assert schema.targets[0].kind == kind
    assert (classes or "") in notes[0]


def test_the_task_decides_the_kind() -> None:
    stars = {"text": TABLE["text"], "stars": [1, 2, 3, 4] * 10}
    assert _infer(stars, task_kind="number")[0].targets[0].kind == "number"
    schema, notes = _infer(stars)
    assert schema.targets[0].kind == "category"
    assert "--task regression" in notes[0]
    assert _infer({"text": TABLE["text"], "y": list(range(N))}, task_kind="category")[0].targets[0].kind == "category"


def test_a_class_that_is_spelt_like_missing_is_pointed_out() -> None:
    _, notes = _infer({"text": TABLE["text"], "label": ["x", "nan"] * 20})
    assert "'nan' is taken for a class: leave the cell empty if it means missing" in notes[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": "lable"}, r"t.csv has no column 'lable' \(named as target\). Did you mean 'label'\?"),
        ({"inputs": ["txt"]}, r"no column 'txt' \(named as input\). Did you mean 'text'\?"),
        ({"ignore": ["prize"]}, r"no column 'prize' \(named as column to ignore\). Did you mean 'price'\?"),
        ({"roles": {"domain": "shp"}}, r"no column 'shp' \(named as domain column\). Did you mean 'shop'\?"),
        ({"roles": {"domian": "shop"}}, r"Unknown role 'domian'. Did you mean 'domain'\?"),
        ({"roles": {"target": "shop"}}, r"Unknown role 'target'. Name the target with --target"),
        ({"target": "label", "inputs": ["label"]}, r"'label' is named as target and as input"),
        ({"inputs": ["text", "text"]}, r"'text' is named twice as input"),
        ({"ignore": ["text", "price", "shop"]}, r"no column to learn from \(id: row ids\)"),
        ({"kinds": {"prize": "text"}}, r"no column 'prize' \(named as column of a kind\). Did you mean 'price'\?"),
        ({"kinds": {"price": "txt"}}, r"--kind price=txt: there is no such kind of column. Did you mean 'text'\?"),
        ({"ignore": ["label"], "target": None, "inputs": ["id"]}, None),
    ],
)
def test_calls_that_are_wrong(options: dict[str, Any], message: str | None) -> None:
    if message is None:
        assert _infer(**options)[0].inputs == (Column("id", "text"),)
        return
    with pytest.raises(UsageError, match=message):
        _infer(**options)


def test_a_target_that_cannot_be_told() -> None:
    two = {"text": TABLE["text"], "a": TABLE["shop"], "b": TABLE["label"]}
    with pytest.raises(UsageError, match=r"could be a or b. Name it: --target"):
        _infer(two)
    with pytest.raises(UsageError, match="could be label or class"):
        _infer({"text": TABLE["text"], "label": TABLE["shop"], "class": TABLE["label"]})
    with pytest.raises(UsageError, match="no column that looks like a target"):
        _infer({"text": TABLE["text"]})


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ([None] * N, "has no value in any row"),
        ([f"free text {i}" for i in range(N)], "looks like free text"),
        ([{"a": 1}] * N, "holds nested values"),
        (["a.png"] * N, "holds image values"),
    ],
)
def test_targets_that_cannot_be_learned(column: list[Any], message: str) -> None:
    array = pa.array(column, pa.string()) if column[0] is None else pa.array(column)
    with pytest.raises(DataError, match=message):
        _infer({"text": TABLE["text"], "y": array}, target="y")


def test_a_missing_header_line_is_pointed_out() -> None:
    with pytest.raises(UsageError, match="If the file has no header line"):
        _infer({"I loved every minute of this film": TABLE["text"], "1": TABLE["shop"]}, target="label")
    with pytest.raises(UsageError, match="If the file has no header line"):
        _infer({"I loved every minute of this film": TABLE["text"], "1": TABLE["text"]})


def test_wide_tables_have_short_notes() -> None:
    wide = {f"n{i}": TABLE["price"] for i in range(50)}
    assert "n18, n19 and 30 more (numbers)" in "".join(_infer({**TABLE, **wide}, ignore=["price", "shop"])[1])


def test_inputs_that_hold_no_text() -> None:
    with pytest.raises(DataError, match="column 'm' holds lists or objects"):
        _infer({**TABLE, "m": [{"a": 1}] * N}, inputs=["m"])
    with pytest.raises(DataError, match="column 'm' has no value in any row"):
        _infer({**TABLE, "m": [None] * N}, inputs=["m"])


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("minutes", [at % 60 for at in range(600)], "number"),
        ("y", [at % 60 for at in range(600)], "category"),
        ("label", [100 + at % 25 for at in range(500)], "category"),
        ("y", [100 + at % 25 for at in range(500)], "number"),
        ("label", [f"class{at}" for at in range(15)], "category"),
        ("label", [f"{100 + at % 30}A" for at in range(120)], "category"),
        ("label", ["10%", "20%"] * 30, "category"),
        ("y", [f"{at / 8}%" for at in range(60)], "number"),
        ("y", [f"{at} kg" for at in range(60)], "number"),
        ("y", ["007", "010", "999"] * 20, "category"),
    ],
)
def test_targets_that_look_like_numbers(name: str, values: list[Any], kind: str) -> None:
    texts = [f"some words of row {at}" for at in range(len(values))]
    schema, notes = _infer({"text": texts, name: values}, target=name)
    assert schema.targets[0].kind == kind
    if kind == "category" and not str(values[0]).startswith("class") and not str(values[0]).endswith("A"):
        assert "--task regression" in notes[0]


@pytest.mark.parametrize(
    ("name", "values", "kind", "why"),
    [
        ("zip", ["98001", "98002", "10001"] * 20, "category", "codes by their name"),
        ("area", ["01234", "98002", "00001"] * 20, "category", "zeros in front"),
        ("kind", [5411, 7995, 4829] * 20, "category", "codes of 4 digits that repeat"),
        ("memory", ["32GB", "64GB", "128GB"] * 20, "category", ""),
        ("amount", ["1\u202f234", "22\u202f345", "3\u202f111"] * 20, "number", ""),
        ("domain", ["shop", "web", "mail"] * 20, "category", "--role domain=domain"),
    ],
)
def test_codes_are_categories_and_said(name: str, values: list[Any], kind: str, why: str) -> None:
    schema, notes = _infer({name: values, "y": ["a", "b"] * 30}, target="y")
    assert schema.inputs[0].kind == kind
    assert not why or any(why in note for note in notes)


def test_whole_numbers_as_a_target_offer_regression_where_a_class_is_single() -> None:
    from graftwork.data.load import load

    with pytest.raises(DataError, match="If they are amounts, say --task regression"):
        load({"x": ["a b c"] * 41, "y": [1, 2, 3, 4] * 10 + [5]}, target="y")


def test_objects_are_no_target() -> None:
    with pytest.raises(
        DataError, match=r"the target 'y' holds nested values. Expected labels \(text, true/false or num"
    ):
        _infer({"text": TABLE["text"], "y": [{"a": 1}] * N}, target="y", task_kind="category")
    with pytest.raises(DataError, match=r"holds lists. Expected one number a row"):
        _infer({"text": TABLE["text"], "y": [[1.5]] * N}, target="y", task_kind="number")


def test_columns_that_are_read_alike_share_a_line() -> None:
    columns = {f"c{at}": [f"{row + at},50 €" for row in range(N)] for at in range(30)}
    _, notes = _infer({**columns, "y": ["a", "b"] * (N // 2)}, target="y")
    said = [note for note in notes if "numbers written as" in note]
    assert len(said) == 1
    assert said[0].startswith("c0, c1, c2, c3, c4, c5, c6, c7, c8, c9 and 20 more: numbers written as")


def test_lists_of_objects_are_no_target() -> None:
    with pytest.raises(DataError, match="holds nested values"):
        _infer({"text": TABLE["text"], "objects": [[{"box": [1, 2]}]] * N}, target="objects")
