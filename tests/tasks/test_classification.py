"""Classification: labels in and out in their own form, losses by hand, errors that name the rows."""

from __future__ import annotations

import datetime
import json

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from graftwork import specs
from graftwork.errors import DataError, UsageError
from graftwork.tasks.classification import Classification
from graftwork.tasks.labels import label_counts
from graftwork.tasks.registry import TASKS


def column(values: list[object], kind: pa.DataType | None = None) -> pa.ChunkedArray:
    whole, half = pa.array(values, kind), len(values) // 2
    return pa.chunked_array([whole[:half], whole[half:]])


def learned(values: list[object], kind: pa.DataType | None = None) -> Classification:
    return Classification().learn(column(values, kind), "train.csv")


def encode(task: Classification, values: list[object]) -> list[int]:
    return task.encode(column(values), "test.csv", np.arange(1, len(values) + 1))[0].tolist()


def test_classes_are_sorted_and_missing_labels_masked() -> None:
    values = ["b", None, "a", "", "  ", "b"]
    task = learned(values)
    codes, labelled = task.encode(column(values), "train.csv", np.arange(6))
    assert task.classes == ("a", "b")
    assert task.outputs == 2
    assert codes.dtype == np.int64
    assert codes.tolist() == [1, -1, 0, -1, -1, 1]
    assert labelled.tolist() == [True, False, True, False, False, True]


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        (["2", "10", "1"], None, ["1", "10", "2"]),
        ([2, 10, 1], None, [1, 2, 10]),
        ([2, 10, 1], pa.uint8(), [1, 2, 10]),
        ([1.0, None, 0.0, float("nan")], None, [0.0, 1.0]),
        ([True, False], None, [False, True]),
        (["b", "a"], pa.dictionary(pa.int32(), pa.string()), ["a", "b"]),
        (["b", "a"], pa.large_string(), ["a", "b"]),
        ([datetime.date(2024, 1, 2), datetime.date(2023, 1, 2)], None, ["2023-01-02", "2024-01-02"]),
    ],
)
def test_predictions_have_the_form_of_the_column(values: list, kind: pa.DataType | None, expected: list) -> None:
    task = Classification().with_state(json.loads(json.dumps(learned(values, kind).state())))
    assert task == learned(values, kind)
    decoded = task.decode(np.eye(len(expected)))
    assert decoded == expected
    assert [type(value) for value in decoded] == [type(value) for value in expected]


def test_a_column_of_another_type_is_read_as_the_training_one() -> None:
    assert encode(learned([1, 2, 10]), ["10", "1"]) == [2, 0]
    assert encode(learned([1, 2, 10]), [10.0, None]) == [2, -1]
    assert encode(learned(["1", "2"]), [2, 1]) == [1, 0]
    assert encode(learned([True, False]), ["true", "False"]) == [1, 0]


def test_unknown_labels_are_listed_with_rows_and_nearest_class() -> None:
    task = learned(["card", "refund", "card"])
    with pytest.raises(DataError) as error:
        task.encode(column(["card", "refunds", "x", "x"]), "test.csv", np.array([1, 3, 8, 9]))
    message = str(error.value)
    assert "test.csv holds 2 labels that the training rows never had" in message
    assert "'refunds' (row 3, nearest known class 'refund')" in message
    assert "'x' (2 rows: 8, 9)" in message
    assert "card, refund" in message


def test_many_unknown_labels_are_cut() -> None:
    with pytest.raises(DataError, match="and 15 more labels") as error:
        encode(learned(["a", "b"]), [f"new {n}" * 50 for n in range(20)])
    assert len(str(error.value)) < 1000


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["a", "a", None], "all 2 labelled rows have the class 'a'. Expected at least two"),
        ([None, None], "no label in 2 rows"),
        ([f"id {n}" for n in range(50)], "each of the 50 labelled rows has a class of its own"),
        ([["a"], ["b"]], "--task multilabel"),
    ],
)
def test_columns_that_can_not_be_learned(values: list, message: str) -> None:
    with pytest.raises(DataError, match=message):
        learned(values)


def test_loss_of_indices_is_cross_entropy_bit_for_bit() -> None:
    task, logits = learned(["a", "b", "c"]), torch.randn(5, 3)
    target = torch.tensor([0, 2, 1, -1, 0])
    found = task.loss(logits, target)
    expected = F.cross_entropy(logits, target.clamp(min=0), reduction="none")
    assert torch.equal(found[[0, 1, 2, 4]], expected[[0, 1, 2, 4]])
    assert found[3] == 0


def test_loss_of_softened_targets_is_the_same() -> None:
    task, logits = learned(["a", "b", "c"]), torch.randn(4, 3)
    target = torch.tensor([0, 2, -1, 1])
    soft = task.soften(target)
    assert soft.sum(dim=1).tolist() == [1, 1, 0, 1]
    torch.testing.assert_close(task.loss(logits, soft), task.loss(logits, target))
    assert task.soften(soft) is soft


def test_divergence_is_kl_and_zero_for_equal_predictions() -> None:
    task, p, q = learned(["a", "b", "c"]), torch.randn(4, 3), torch.randn(4, 3)
    reference = (q.softmax(1) * (q.softmax(1).log() - p.softmax(1).log())).sum(1)
    torch.testing.assert_close(task.divergence(p, q), reference)
    torch.testing.assert_close(task.divergence(p, p), torch.zeros(4))


def test_probabilities_are_a_softmax_of_the_tempered_predictions() -> None:
    task, logits = learned(["a", "b"]), torch.tensor([[2.0, 0.0]])
    torch.testing.assert_close(task.probabilities(logits, 2.0), torch.tensor([[1.0, 0.0]]).softmax(1))
    assert task.probabilities(logits.bfloat16()).dtype == torch.float32


@settings(max_examples=50, deadline=None)
@given(st.lists(st.one_of(st.none(), st.text("ab 漢\t", min_size=1, max_size=5)), min_size=2, max_size=20))
def test_encode_and_decode_are_inverse(values: list[str | None]) -> None:
    present = [value for value in values if value is not None and value.strip()]
    if len({value.strip() for value in present}) < 2:
        return
    task = learned(list(values))
    codes, labelled = task.encode(column(list(values)), "t", np.arange(len(values)))
    assert [value.strip() for value in task.labels.values(codes[labelled])] == [
        value.strip() for value, is_there in zip(values, labelled, strict=True) if value and is_there
    ]


def test_settings_are_not_what_was_learned() -> None:
    task = specs.parse("classification", TASKS, "task")
    assert specs.write(learned(["a", "b"]), "classification") == "classification"
    assert task == Classification()
    with pytest.raises(UsageError, match="no setting 'labels'"):
        specs.parse("classification:labels=3", TASKS, "task")


def test_label_counts() -> None:
    assert label_counts(column(["b", None, "a", "b", ""])) == {"b": 2, "a": 1}
