"""Boosted trees as tensors: every row falls through all trees at once, and what its leaves say is added up."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

CATEGORY, LEFT_WHERE_MISSING, KNOWS_MISSING = 1, 2, 4
"""Bits of `kind`: a node asks whether a category is in a set; a missing value goes left; missing values have a side of
their own (else they count as 0)."""
CELLS = 4_000_000
"""Rows x trees that are held at once."""
_INTEGER = ("columns", "roots", "starts", "feature", "kind", "left", "right")
_REAL = ("threshold", "value")


class TreesLayer(nn.Module):
    """The sum of the trees of each output, plus a bias; x (B, width) -> (B, outputs). It has no gradient.

    bias: (outputs,). columns: what is read of x, (C, 3): where a column starts, its places, and the feature that is 1
    where it is missing (-1 for none). A column of one place is a number; of several, a category, one-hot.
    roots: (trees,), those of one output side by side; starts: (outputs + 1,), where the trees of each output begin.
    feature, threshold, kind, left, right: (nodes,). A node goes left where its column is at most the threshold, or, for
    a category, where it is in the row `threshold` of sets (S, categories). left, right and roots are node numbers, a
    child's above its parent's; below 0 they are leaves: -1 the first of value (leaves,).
    """

    columns: Tensor
    roots: Tensor
    starts: Tensor
    feature: Tensor
    threshold: Tensor
    kind: Tensor
    left: Tensor
    right: Tensor
    value: Tensor
    sets: Tensor

    def __init__(self, width: int, outputs: int) -> None:
        super().__init__()
        self.width = width
        self.bias = nn.Parameter(torch.zeros(outputs), requires_grad=False)
        for name in _INTEGER:
            self.register_buffer(name, torch.zeros(0, dtype=torch.int32))
        for name in _REAL:
            self.register_buffer(name, torch.zeros(0))
        self.columns = torch.zeros(0, 3, dtype=torch.int32)
        self.starts = torch.zeros(outputs + 1, dtype=torch.int32)
        self.register_buffer("sets", torch.zeros(0, 0, dtype=torch.bool))

    def put(self, tensors: Mapping[str, Tensor]) -> None:
        """Take these trees in place of those it has; every tensor by its name.

        Raises ValueError where they don't fit together."""
        _check(tensors, self.width, len(self.bias))
        device = self.bias.device
        for name, tensor in tensors.items():
            if name == "bias":
                self.bias.data = tensor.to(device)
            else:
                setattr(self, name, tensor.to(device))

    def read(self, features: Tensor) -> Tensor:
        """The columns of x as trees ask for them (B, C): NaN where missing, a category as its number from 0."""
        start, places, missing = (self.columns[:, at].long() for at in range(3))
        found = features.index_select(1, start)
        flagged = (missing >= 0).nonzero().squeeze(1)
        if len(flagged):
            gone = features.index_select(1, missing[flagged]) > 0.5
            found[:, flagged] = found[:, flagged].masked_fill(gone, torch.nan)
        for at in (places > 1).nonzero().squeeze(1).tolist():
            whole = features[:, int(start[at]) : int(start[at] + places[at])]
            largest, code = whole.max(dim=1)
            found[:, at] = torch.where(largest > 0.5, code.to(found.dtype), torch.nan)
        return found

    def forward(self, features: Tensor) -> Tensor:
        if not len(self.roots):
            return self.bias.expand(len(features), -1).clone()
        rows = max(1, CELLS // len(self.roots))
        parts = torch.split(self.read(features.detach().float()), rows)
        return torch.cat([self._sums(part) for part in parts])

    def _sums(self, columns: Tensor) -> Tensor:
        found = self.value[-1 - self._leaves(columns)]
        edges = self.starts.tolist()
        sums = [found[:, start:end].sum(dim=1) for start, end in pairwise(edges)]
        return torch.stack(sums, dim=1) + self.bias

    def _leaves(self, columns: Tensor) -> Tensor:
        """Where each row ends in each tree (B, trees), below 0."""
        at = self.roots.long().expand(len(columns), -1)
        while bool((at >= 0).any()):
            node = at.clamp(min=0)
            kind, threshold = self.kind[node], self.threshold[node]
            value = columns.gather(1, self.feature[node].long())
            gone = value.isnan()
            knows = (kind & KNOWS_MISSING) > 0
            left = torch.where(gone & ~knows, value.new_zeros(()), value) <= threshold
            left = torch.where(gone & knows, (kind & LEFT_WHERE_MISSING) > 0, left)
            if len(self.sets):
                left = torch.where((kind & CATEGORY) > 0, self._in_set(value, threshold, gone), left)
            below = torch.where(left, self.left[node], self.right[node]).long()
            at = torch.where(at >= 0, below, at)
        return at

    def _in_set(self, value: Tensor, row: Tensor, gone: Tensor) -> Tensor:
        """Whether each category is in the set of its node; missing ones, and those that no set has, are in none."""
        count, size = self.sets.shape
        known = ~gone & (value >= 0) & (value < size)
        code = torch.where(known, value, 0).long()
        return known & self.sets[row.long().clamp(0, count - 1), code]

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *others: Any) -> None:
        """As usual, once there is room for as many trees as were saved. Raises ValueError for damaged ones."""
        names = [name for name, _ in self.named_buffers()]
        if all(f"{prefix}{name}" in state_dict for name in names):
            saved = {name: state_dict[f"{prefix}{name}"] for name in names}
            _check(saved, self.width, len(self.bias))
            for name, tensor in saved.items():
                setattr(self, name, torch.zeros_like(tensor, device=self.bias.device))
        super()._load_from_state_dict(state_dict, prefix, *others)


def _check(tensors: Mapping[str, Tensor], width: int, outputs: int) -> None:
    """Raise ValueError for trees that don't end, or that point at what is not there."""
    nodes, leaves, trees = (len(tensors[name]) for name in ("feature", "value", "roots"))
    of_nodes = [tensors[name] for name in ("feature", "threshold", "kind", "left", "right")]
    shapes = all(one.shape == (nodes,) for one in of_nodes) and tensors["columns"].shape[1:] == (3,)
    if not shapes or tensors["starts"].shape != (outputs + 1,) or tensors["sets"].ndim != 2:
        raise ValueError("the trees of a head have lost a part")
    starts, numbers = tensors["starts"], torch.arange(nodes, device=tensors["left"].device)
    at, places, missing = (tensors["columns"][:, each].long() for each in range(3))
    inside = bool(((at >= 0) & (places >= 1) & (at + places <= width) & (missing < width)).all())
    links = [tensors[name] for name in ("left", "right", "roots")]
    below = all(bool((link < nodes).all() and (link >= -leaves).all()) for link in links)
    above = all(bool(((link < 0) | (link > numbers)).all()) for link in links[:2])
    columns = bool(((tensors["feature"] >= 0) & (tensors["feature"] < len(tensors["columns"]))).all())
    ordered = starts.tolist() == sorted(starts.tolist()) and starts[0] == 0 and starts[-1] == trees
    if not (inside and below and above and columns and ordered):
        raise ValueError("the trees of a head point at what is not there")
