"""Labels of a later table in another form than the training column has."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from graftwork.errors import DataError
from graftwork.tasks.labels import Labels


def _codes(labels: Labels, values: list[object], kind: pa.DataType | None = None) -> list[int]:
    column = pa.chunked_array([pa.array(values, kind)])
    return labels.codes(column, "test.csv", np.arange(1, len(values) + 1)).tolist()


def test_later_tables_may_write_labels_otherwise() -> None:
    labels = Labels.learn(pa.chunked_array([["7", "8", "7", "café"]]))
    assert labels.texts == ("7", "8", "café")
    assert _codes(labels, ["7.0", "8", None, "cafe\u0301", "7\u200b", "\u00a08"]) == [0, 1, -1, 2, 0, 1]
    assert _codes(labels, [7.0, 8.0, float("nan")]) == [0, 1, -1]
    assert _codes(labels, [8, 7], pa.int8()) == [1, 0]
    with pytest.raises(DataError, match=r"'07' \(row 1, nearest known class '7'\)"):
        _codes(labels, ["07"])


def test_whole_numbers_and_truths() -> None:
    numbers = Labels.learn(pa.chunked_array([[7, 8]]))
    assert _codes(numbers, ["7.0", "8"]) == [0, 1]
    truths = Labels.learn(pa.chunked_array([["True", "False"]]))
    assert _codes(truths, [True, False]) == [1, 0]
    assert _codes(truths, ["true", "FALSE"]) == [1, 0]


def test_the_most_frequent_writing_is_the_label() -> None:
    labels = Labels.learn(pa.chunked_array([["1.0", "1"], ["1.0", "2"]]))
    assert labels.texts == ("1.0", "2")
    assert labels.with_new(pa.chunked_array([["1", "3"]])).texts == ("1.0", "2", "3")


def test_classes_of_an_older_model_that_differ_in_writing_stay_apart() -> None:
    assert _codes(Labels(("7", "7.0")), ["7.0", "7"]) == [1, 0]
