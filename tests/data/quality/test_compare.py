"""Duplicates, conflicting labels and rare classes, against a brute-force search."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from graftwork.data.load import load, load_like
from graftwork.data.quality.compare import conflicts, overlap, rare_classes
from graftwork.data.table import Column, Schema, Table

SCHEMA = Schema((Column("text", "text"), Column("label", "category", "target")))
_ROWS = st.lists(
    st.tuples(st.sampled_from(["a", "b", "A ", "c  d", "c d", "", None]), st.sampled_from(["x", "y", None]))
)


def _table(rows: list[tuple[str | None, str | None]], first: int = 1) -> Table:
    texts, labels = [text for text, _ in rows], [label for _, label in rows]
    data = pa.table({"text": pa.array(texts, pa.string()), "label": pa.array(labels, pa.string())})
    return Table(data, SCHEMA, "t", np.arange(first, first + len(rows)))


def _key(text: str | None) -> str:
    return " ".join((text or "").lower().split())


@given(first=_ROWS, second=_ROWS)
def test_overlap(first: list[tuple[str | None, str | None]], second: list[tuple[str | None, str | None]]) -> None:
    found = overlap(_table(first, 1), _table(second, 101))
    keys = [_key(text) for text, _ in first]
    expected = [[keys.index(_key(text)) + 1, row] for row, (text, _) in enumerate(second, 101) if _key(text) in keys]
    assert found.pairs.tolist() == expected
    assert found.share == len(expected) / max(1, len(second))


@given(rows=_ROWS)
def test_conflicts(rows: list[tuple[str | None, str | None]]) -> None:
    found = conflicts(_table(rows), "label")
    groups: dict[str, list[tuple[int, str]]] = {}
    for row, (text, label) in enumerate(rows, 1):
        if label is not None:
            groups.setdefault(_key(text), []).append((row, label))
    mixed = [group for group in groups.values() if len({label for _, label in group}) > 1]
    assert (found.texts, found.rows) == (len(mixed), sum(map(len, mixed)))
    listed = [list(zip(example.rows, example.labels, strict=True)) for example in found.examples]
    assert listed == [group[:10] for group in mixed]


def test_lists_of_labels_conflict_as_sets() -> None:
    data = pa.table({"text": ["a", "a", "b", "b"], "label": [["x", "y"], ["y", "x"], ["x"], []]})
    found = conflicts(Table(data, SCHEMA, "t", np.arange(1, 5)), "label")
    assert [(example.rows, example.labels) for example in found.examples] == [((3, 4), ("x", ""))]


def test_rare_classes() -> None:
    table = _table([("a", "x")] * 6 + [("b", "y"), ("c", "z"), ("d", "z"), ("e", None)], first=11)
    rare = rare_classes(table, "label")
    assert [(item.label, item.count, item.rows) for item in rare] == [("y", 1, (17,)), ("z", 2, (18, 19))]
    assert rare_classes(table, "label", fewer_than=1) == ()


def test_known_repeats_of_trec(real_data: Path) -> None:
    train = load(real_data / "trec" / "train.csv").table
    test = load_like(real_data / "trec" / "test.csv", train.schema, with_target=True).table
    found = overlap(train, test)
    exact = set(train.values("text"))
    assert len(found.pairs) >= sum(text in exact for text in test.values("text")) >= 10
