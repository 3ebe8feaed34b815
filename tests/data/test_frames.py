"""Tables in memory."""

from __future__ import annotations

from typing import Any

import datasets
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from graftwork.data.read import read
from graftwork.errors import DataError, UsageError


def test_pandas_missing_values_categories_and_mixed_types() -> None:
    frame = pd.DataFrame(
        {
            "text": ["a", None, float("nan")],
            "label": [1, "x", None],
            "kind": pd.Categorical(["u", "v", "u"]),
            7: [True, False, True],
        },
        index=[5, 6, 7],
    )
    table, name = read(frame)
    assert name == "the frame"
    assert table.to_pydict() == {
        "text": ["a", None, None],
        "label": ["1", "x", None],
        "kind": ["u", "v", "u"],
        "7": [True, False, True],
    }


def test_pandas_whole_numbers_stay_whole() -> None:
    assert read(pd.DataFrame({"label": [0, 1]}))[0].schema.field("label").type == pa.int64()


@pytest.mark.parametrize(
    "source",
    [
        ["a", "b"],
        ("a", "b"),
        np.array(["a", "b"]),
        pd.Series(["a", "b"], index=[3, 4]),
        {"text": ["a", "b"]},
        {"text": np.array(["a", "b"])},
        [{"text": "a"}, {"text": "b"}],
        pa.table({"text": ["a", "b"]}),
        datasets.Dataset.from_dict({"text": ["a", "b"]}),
    ],
)
def test_all_sources_hold_the_same_table(source: Any) -> None:
    assert read(source)[0].to_pydict() == {"text": ["a", "b"]}


def test_keys_that_a_dict_lacks_are_missing() -> None:
    assert read([{"a": "x"}, {"b": 1}, {"a": 2}])[0].to_pylist() == [
        {"a": "x", "b": None},
        {"a": None, "b": 1},
        {"a": "2", "b": None},
    ]


def test_datasets_class_names_indices_and_missing_labels() -> None:
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["neg", "pos"])})
    data = datasets.Dataset.from_dict({"text": ["a", "b", "c"], "label": [0, 1, -1]}, features=features)
    assert read(data)[0].column("label").to_pylist() == ["neg", "pos", None]
    assert read(data.select([1, 0]))[0].to_pydict() == {"text": ["b", "a"], "label": ["pos", "neg"]}
    with pytest.raises(UsageError, match=r"DatasetDict with the splits train, test. Give one of them: data\['train'\]"):
        read(datasets.DatasetDict({"train": data, "test": data}))
    with pytest.raises(UsageError, match="streaming=False"):
        read(data.to_iterable_dataset())


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        ([], DataError, "the list is empty"),
        (pd.DataFrame({"text": []}), DataError, r"the frame has no rows \(columns: text\)"),
        (pd.DataFrame(), DataError, "no columns"),
        (pd.DataFrame([["a", "b"]], columns=["t", "t"]), DataError, "more than one column named 't'"),
        ([{"t": "a"}, 3], DataError, "row 2 is 3, a int"),
        ({"a": ["x"], "b": [1, 2]}, DataError, "unequal length: a 1, b 2"),
        ({"a": "xyz"}, UsageError, "column 'a' is 'xyz'. Expected a list"),
        (3, UsageError, "Expected a file, a pandas frame"),
        (np.zeros((2, 2)), UsageError, r"array of shape \(2, 2\)"),
        (["ok", "\ud800"], DataError, "row 2, column 'text': half of a surrogate"),
    ],
)
def test_refused(source: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        read(source)
