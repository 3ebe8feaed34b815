"""Rows with the same inputs: by what files hold, not by what they are called."""

from __future__ import annotations

import numpy as np

from graftwork.data.load import load
from graftwork.data.quality.repeats import first_alike, groups_alike, row_keys
from pictures import picture


def test_equal_pictures_under_other_names_are_one(tmp_path):
    for name, seed in (("a", 1), ("b", 2), ("c", 1)):
        picture(seed).save(tmp_path / f"{name}.png")
    rows = [{"image": str(tmp_path / f"{name}.png"), "label": "x"} for name in "abc"]
    table = load([*rows, *[{**row, "label": "y"} for row in rows]], target="label").table
    assert first_alike(row_keys(table)).tolist() == [0, 1, 0, 0, 1, 0]


def test_case_and_white_space_do_not_count_but_numbers_do():
    rows = [("A  text", 1), ("a text", 1), ("a text", 2), ("other", 1)]
    table = load([{"text": t, "n": n, "label": "xy"[at % 2]} for at, (t, n) in enumerate(rows)], target="label").table
    assert first_alike(row_keys(table)).tolist() == [0, 0, 2, 3]


def test_groups_of_no_rows():
    assert groups_alike(np.zeros(0, np.int64)) == []
    assert [group.tolist() for group in groups_alike(np.array([3, 3, 3]))] == [[0, 1, 2]]
