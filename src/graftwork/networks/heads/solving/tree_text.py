"""LightGBM's text form of boosted trees, read as data: arrays of nodes and leaves, tree by tree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from graftwork.errors import ModelError

CATEGORY, MISSING_TYPE = 1, 2
"""Bits of `decision_type`: the lowest one, and where the two of the kind of missing value begin."""
ZERO_IS_MISSING = 1


@dataclass(frozen=True)
class Tree:
    """One tree. feature, threshold, decision, left, right: of its nodes (N,), none where it is one leaf. A child below
    0 is a leaf: -1 the first of value (N + 1,). sets: of the categories that go left, by the number that `threshold`
    holds for such a node."""

    feature: np.ndarray
    threshold: np.ndarray
    decision: np.ndarray
    left: np.ndarray
    right: np.ndarray
    value: np.ndarray
    sets: tuple[np.ndarray, ...] = ()


def read_trees(text: str, columns: int) -> list[Tree]:
    """The trees of a model of so many columns, in their order.

    Raises ModelError where the text is not as LightGBM 4 writes it.
    """
    head, *blocks = text.split("\n\n\nend of trees")[0].split("\nTree=")
    if not head.startswith("tree\n") or "end of trees" not in text:
        raise _changed("expected 'tree' on the first line and 'end of trees' behind the last tree")
    if "version=v4" not in head.splitlines():
        raise _changed("expected version=v4")
    return [_tree(dict(_lines(block)), columns) for block in blocks]


def _lines(block: str) -> Iterator[tuple[str, str]]:
    for line in block.splitlines()[1:]:
        name, found, value = line.partition("=")
        if found:
            yield name, value


def _tree(told: Mapping[str, str], columns: int) -> Tree:
    leaves = int(_numbers(told, "num_leaves", np.int64, 1)[0])
    nodes = leaves - 1
    if leaves < 1 or told.get("is_linear", "0") != "0":
        raise _changed("expected trees with one number a leaf")
    value = _numbers(told, "leaf_value", np.float64, leaves)
    if not nodes:
        empty = np.zeros(0, np.int64)
        return Tree(empty, empty.astype(np.float64), empty, empty, empty, value)
    of_nodes = ("split_feature", "decision_type", "left_child", "right_child")
    feature, decision, left, right = (_numbers(told, name, np.int64, nodes) for name in of_nodes)
    threshold = _numbers(told, "threshold", np.float64, nodes)
    numbers = np.arange(nodes)
    for child in (left, right):
        if not ((child < nodes) & (child >= -leaves) & ((child < 0) | (child > numbers))).all():
            raise _changed("a node has a child that is not there")
    if not ((feature >= 0) & (feature < columns)).all() or (decision >> MISSING_TYPE == ZERO_IS_MISSING).any():
        raise _changed("a node asks for a column that is not there, or takes 0 for missing")
    sets = _sets(told)
    asked = threshold[decision & CATEGORY > 0]
    if not ((asked >= 0) & (asked < len(sets))).all():
        raise _changed("a node asks for a set of categories that is not there")
    return Tree(feature, threshold, decision, left, right, value, sets)


def _sets(told: Mapping[str, str]) -> tuple[np.ndarray, ...]:
    """The categories of each set, from words of 32 bits."""
    count = int(_numbers(told, "num_cat", np.int64, 1)[0])
    if not count:
        return ()
    edges = _numbers(told, "cat_boundaries", np.int64, count + 1)
    words = _numbers(told, "cat_threshold", np.uint64, int(edges[-1]))
    if edges[0] != 0 or (np.diff(edges) < 0).any():
        raise _changed("the sets of categories do not follow each other")
    bits = words[:, None] >> np.arange(32, dtype=np.uint64) & np.uint64(1)
    return tuple(np.flatnonzero(bits[start:end].reshape(-1)) for start, end in pairwise(edges))


def _numbers(told: Mapping[str, str], name: str, kind: type, count: int) -> np.ndarray:
    read: type = float if kind is np.float64 else int
    try:
        found: np.ndarray = np.array([read(one) for one in told[name].split()], kind)
    except (KeyError, ValueError, OverflowError):
        raise _changed(f"{name} is missing, or holds something else than numbers") from None
    # A node that parts what is missing from all else has a threshold that is infinite.
    wrong = np.isnan(found) if name == "threshold" else ~np.isfinite(found.astype(np.float64))
    if found.shape != (count,) or wrong.any():
        raise _changed(f"{name} holds {len(found)} numbers, expected {count} that are finite")
    return found


def _changed(what: str) -> ModelError:
    return ModelError(
        f"The layout of LightGBM's text model has changed: {what}. Install the version that was tried: "
        "pip install 'lightgbm>=4.6,<5'."
    )
