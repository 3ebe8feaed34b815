"""Trees that were read as the tensors of the layer that predicts with them (`layers/trees.py`)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from graftwork.networks.heads.layers.trees import CATEGORY, KNOWS_MISSING, LEFT_WHERE_MISSING
from graftwork.networks.heads.solving.tree_text import Tree


def tensors_of(of_output: Sequence[Sequence[Tree]], seeds: int) -> dict[str, Tensor]:
    """The trees of each output side by side, by the names of the layer's tensors; each counts for its share of so many
    seeds."""
    ordered = [tree for each in of_output for tree in each]
    nodes = np.cumsum([0, *(len(tree.feature) for tree in ordered)])
    leaves = np.cumsum([0, *(len(tree.value) for tree in ordered)])
    firsts = np.cumsum([0, *(len(tree.sets) for tree in ordered)])
    left, right = (
        [np.where(child < 0, child - leaves[at], child + nodes[at]) for at, child in enumerate(children)]
        for children in ([tree.left for tree in ordered], [tree.right for tree in ordered])
    )
    roots = [nodes[at] if len(tree.feature) else -1 - leaves[at] for at, tree in enumerate(ordered)]
    thresholds = [_thresholds(tree, int(firsts[at])) for at, tree in enumerate(ordered)]
    return {
        "roots": _joined([np.array(roots)], np.int32),
        "starts": _joined([np.cumsum([0, *map(len, of_output)])], np.int32),
        "feature": _joined([tree.feature for tree in ordered], np.int32),
        "kind": _joined([_kinds(tree.decision) for tree in ordered], np.int32),
        "threshold": _joined(thresholds, np.float32),
        "left": _joined(left, np.int32),
        "right": _joined(right, np.int32),
        "value": _joined([tree.value / seeds for tree in ordered], np.float32),
        "sets": torch.from_numpy(_table([found for tree in ordered for found in tree.sets])),
    }


def _joined(parts: Sequence[np.ndarray], kind: type) -> Tensor:
    return torch.from_numpy(np.concatenate([np.zeros(0), *parts]).astype(kind))


def _table(sets: Sequence[np.ndarray]) -> np.ndarray:
    """A row a set (S, categories), bool."""
    table = np.zeros((len(sets), 1 + max((int(found.max(initial=0)) for found in sets), default=-1)), bool)
    for at, found in enumerate(sets):
        table[at, found] = True
    return table


def _kinds(decision: np.ndarray) -> np.ndarray:
    """LightGBM's bits as the layer's: missing values of kind 2, NaN, have a side of their own."""
    knows = np.where(decision >> 2 == 2, KNOWS_MISSING, 0)
    return (decision & CATEGORY) | (decision & LEFT_WHERE_MISSING) | knows


def _thresholds(tree: Tree, first_set: int) -> np.ndarray:
    """In single precision, rounded down: a number in single precision is at most the one where it is at most the other.
    For categories the number of the set."""
    with np.errstate(over="ignore", under="ignore"):
        single = tree.threshold.astype(np.float32)
    single = np.where(single > tree.threshold, np.nextafter(single, np.float32(-np.inf)), single)
    return np.where(tree.decision & CATEGORY > 0, tree.threshold + first_set, single)
