"""The task that a target column suggests, with the reason."""

from __future__ import annotations

import pyarrow as pa
import pytest

from graftwork.tasks.registry import infer_task, list_warnings


@pytest.mark.parametrize(
    ("values", "kind", "task", "reason"),
    [
        (["a", "b"], "category", "classification", "text"),
        (["a;b", "b", "c;a"], "text", "classification", "text"),
        ([["a"], ["b", "c"]], "category", "multilabel", "lists"),
        ([True, False], "category", "classification", "true or false"),
        ([0.5, 1.5, 2.25], "number", "regression", "--task classification"),
        ([1, 2, 3] * 5, "number", "classification", "3 distinct whole numbers"),
        ([1.0, 2.0, None] * 5, "number", "classification", "2 distinct whole numbers"),
        ([1, 2, 3, 4], "number", "regression", "numbers"),
        (list(range(77)) * 5, "number", "classification", "class numbers 0 to 76"),
        (list(range(18, 90)) * 5, "number", "regression", "numbers"),
        (list(range(1000)), "number", "regression", "numbers"),
        ([1, 2, 3], "category", "classification", "class numbers"),
    ],
)
def test_inferred_task(values: list, kind: str, task: str, reason: str) -> None:
    found, why = infer_task(pa.chunked_array([values]), kind)  # type: ignore[arg-type]
    assert found.name == task
    assert reason in why


def test_lists_read_as_classes_are_warned_of() -> None:
    (line,) = list_warnings(pa.chunked_array([["a;b", "b", "c;a"]]), "topics")
    assert line.startswith("warning: topics: the values look like lists of labels (parted by ';')")
    assert "--task multilabel" in line
    assert list_warnings(pa.chunked_array([["a", "b"]]), "topics") == []
    assert list_warnings(pa.chunked_array([[1, 2]]), "topics") == []
