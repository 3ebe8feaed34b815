"""graftwork.networks.heads.solving.tree_text: LightGBM's text of trees is data, and what is wrong in it is said."""

from __future__ import annotations

import numpy as np
import pytest

from graftwork.errors import ModelError
from graftwork.networks.heads.solving.tree_text import read_trees

TEXT = """tree
version=v4
num_class=1
num_tree_per_iteration=1
max_feature_idx=1
feature_names=Column_0 Column_1

Tree=0
num_leaves=3
num_cat=1
split_feature=0 1
split_gain=2 1
threshold=0.5 0
decision_type=10 1
left_child=1 -1
right_child=-3 -2
leaf_value=0.25 -1 2.5e-1
cat_boundaries=0 2
cat_threshold=2 1
is_linear=0
shrinkage=0.1


Tree=1
num_leaves=1
num_cat=0
leaf_value=7


end of trees

feature_importances:
"""


def test_nodes_leaves_and_sets() -> None:
    first, second = read_trees(TEXT, 2)
    assert first.feature.tolist() == [0, 1]
    assert first.left.tolist() == [1, -1]
    assert first.right.tolist() == [-3, -2]
    assert first.value.tolist() == [0.25, -1, 0.25]
    assert [found.tolist() for found in first.sets] == [[1, 32]]
    assert len(second.feature) == 0
    assert second.value.tolist() == [7]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("version=v4", "version=v9", "version=v4"),
        ("end of trees", "", "end of trees"),
        ("tree\n", "wood\n", "first line"),
        ("split_feature=0 1", "split_feature=0 2", "a column that is not there"),
        ("left_child=1 -1", "left_child=1 -4", "a child that is not there"),
        ("left_child=1 -1", "left_child=0 -1", "a child that is not there"),
        ("threshold=0.5 0", "threshold=0.5 1", "a set of categories that is not there"),
        ("threshold=0.5 0", "threshold=nan 0", "that are finite"),
        ("leaf_value=0.25 -1 2.5e-1", "leaf_value=0.25 -1", "expected 3"),
        ("leaf_value=0.25 -1 2.5e-1", "leaf_value=0.25 -1 __import__", "something else than numbers"),
        ("decision_type=10 1", "decision_type=6 1", "takes 0 for missing"),
        ("cat_threshold=2 1", "cat_threshold=2", "cat_threshold holds 1"),
        ("cat_boundaries=0 2", "cat_boundaries=1 2", "do not follow each other"),
        ("leaf_value=0.25 -1 2.5e-1", "leaf_value=0.25 -1 inf", "that are finite"),
        ("num_leaves=3", "num_leaves=999999999", "expected"),
        ("is_linear=0", "is_linear=1", "one number a leaf"),
        ("num_leaves=1", "num_leaves=0", "one number a leaf"),
    ],
)
def test_what_is_not_as_expected_is_said(old: str, new: str, said: str) -> None:
    assert old in TEXT
    with pytest.raises(ModelError, match=f"layout of LightGBM's text model has changed: .*{said}"):
        read_trees(TEXT.replace(old, new, 1), 2)


def test_numbers_keep_all_their_digits() -> None:
    value = float(np.nextafter(0.1, 1))
    tree, _ = read_trees(TEXT.replace("threshold=0.5 0", f"threshold={value!r} 0"), 2)
    assert tree.threshold[0] == value
