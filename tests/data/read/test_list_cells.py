"""Frames whose cells hold several labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from graftwork.data.load import load
from graftwork.data.read.list_cells import as_lists

CELLS: dict[str, list[Any]] = {
    "lists": [["a", "b"], ["a"], None, []],
    "tuples": [("a", "b"), ("a",), None, ()],
    "frozen sets": [frozenset("ab"), frozenset("a"), None, frozenset()],
    "sets": [{"b", "a"}, {"a"}, None, set()],
    "arrays": [np.array(["a", "b"]), np.array(["a"]), None, np.array([])],
    "series": [pd.Series(["a", "b"]), pd.Series(["a"]), None, pd.Series([], dtype=str)],
    "missing": [["a", "b"], ["a"], float("nan"), []],
    "pandas' missing": [["a", "b"], ["a"], pd.NA, []],
    "texts among them": [["a", "b"], "a", None, []],
}


@pytest.mark.parametrize("name", CELLS)
def test_labels_of_a_frame(name: str) -> None:
    texts = [f"words {i}" for i in range(8)]
    for source in (
        pd.DataFrame({"text": texts, "label": CELLS[name] * 2}),
        [{"text": text, "label": label} for text, label in zip(texts, CELLS[name] * 2, strict=True)],
    ):
        found = load(source, target="label", many_labels=True, on_bad_rows="skip").table.values("label")
        assert list(map(sorted, found)) == [["a", "b"], ["a"], []] * 2


def test_numbers_beside_texts_are_texts() -> None:
    assert as_lists([["a", 1], [2.5]]) == [["a", "1"], ["2.5"]]


@pytest.mark.parametrize("items", [["a", 1], [{"a": 1}], [["a"], [["b"]]], [["a"], 3], []])
def test_what_is_no_list_of_labels(items: list[Any]) -> None:
    assert as_lists(items) is None
