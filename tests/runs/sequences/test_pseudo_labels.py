"""Which rows get a pseudo-label."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import graftwork as gw
from graftwork.errors import RefusedError
from graftwork.runs.sequences.pseudo_labels import pseudo_labelled, sure_rows
from tiny import tiny_rows

SAYS = np.array(
    [[0.95, 0.05], [0.6, 0.4], [0.92, 0.08], [0.3, 0.7], [0.99, 0.01], [0.45, 0.55], [np.nan, np.nan], [0.2, 0.8]]
)


@pytest.mark.parametrize(("threshold", "rows"), [(0.9, [0, 2, 4]), (0.75, [0, 2, 4, 7]), (0.0, [0, 1, 2, 3, 4, 5, 7])])
def test_those_at_the_threshold(threshold: float, rows: list[int]) -> None:
    assert sure_rows(SAYS, threshold, balance=False).tolist() == rows


def test_balanced_the_surest_of_every_class() -> None:
    # 3 of 7 rows are sure: of four rows of the first class ceil(12 / 7), of three of the second ceil(9 / 7).
    assert sure_rows(SAYS, 0.9, balance=True).tolist() == [0, 3, 4, 7]


def test_nothing_is_sure() -> None:
    assert sure_rows(SAYS, 1.0, balance=True).tolist() == []
    assert sure_rows(np.zeros((0, 2)), 0.5, balance=True).tolist() == []


@pytest.fixture(scope="module")
def model() -> gw.Model:
    training = gw.Training(steps=40, batch=16, lr=1e-2, precision="fp32", evaluations=1)
    recipe = gw.Recipe(base="gru:width=16,dropout=0", techniques=[], training=training)
    return gw.fit(pd.DataFrame(tiny_rows(60), columns=["text", "label"]), target="label", recipe=recipe)


def test_rows_and_labels_belong_together(model: gw.Model, tmp_path: Path) -> None:
    texts = ["the cat is here", "", "the rain is here", "bread , soup and rice !"]
    table = pd.DataFrame({"text": texts})
    found, note = pseudo_labelled(model, table, 0.5, False, tmp_path / "made" / "labels.csv")
    assert found is not None
    assert 2 not in found.rows  # the empty one
    values = model.predict(table)
    assert list(found.values["label"]) == [values[row - 1] for row in found.rows.tolist()]
    with (tmp_path / "made" / "labels.csv").open() as file:
        written = list(csv.DictReader(file))
    assert [(int(row["row"]), row["label"]) for row in written] == list(
        zip(found.rows, found.values["label"], strict=True)
    )
    assert f"{len(found.rows)} of 4 rows" in note


def test_none_is_said(model: gw.Model, tmp_path: Path) -> None:
    found, note = pseudo_labelled(model, pd.DataFrame({"text": ["the cat is here"]}), 1.0, True, tmp_path / "l.csv")
    assert found is None
    assert "none is sure at 1: this step trains on the labelled rows alone" in note


def test_other_tasks_are_refused(tmp_path: Path) -> None:
    table = pd.DataFrame({"text": [text for text, _ in tiny_rows(48)], "size": np.arange(48.0)})
    training = gw.Training(steps=1, precision="fp32")
    made = gw.fit(table, target="size", recipe=gw.Recipe(base="gru:width=8", techniques=[], training=training))
    with pytest.raises(RefusedError, match=r"'size' is a target for regression.*distil"):
        pseudo_labelled(made, table, 0.9, False, tmp_path / "l.csv")
