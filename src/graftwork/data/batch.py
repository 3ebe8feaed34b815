"""What one training or prediction step sees: plain tensors by column, and who the rows are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

import torch
from torch import Tensor

from graftwork.data.tensors import Tensors as Tensors

Inputs = dict[str, Tensor]


@dataclass(frozen=True)
class Hidden:
    """Hidden states to start from instead of a column's raw inputs.

    `depth` counts the blocks that are already behind them; a depth equal to the encoder's own means that `states`
    are the pooled features (B, width), a smaller one means what `Encoder.states` gives.
    """

    depth: int
    states: Tensor


@dataclass(frozen=True)
class Batch:
    """One batch of rows.

    inputs: by input, what its encoder's `collate` made.
    present: by input, which rows have it (B,); inputs that every row must have are left out.
    hidden: by input, where to start instead of at the inputs (frozen-layer cache, attacks on embeddings).
    targets, labelled: by target column; one tensor or several by name, each (B, ...); `labelled` (B,) is False where
        the target is missing, and masks the loss.
    rows: ids of the rows in the training table (B,). weight: importance of each row (B,), 1 on average.
    progress: share of the training that is done, 0 to 1.
    size, labelled_size: rows of the whole batch that this is a part of (accumulation, data parallel ranks), and by
        target the units of its labelled rows (the rows themselves, or their tokens): every mean is taken over those, so
        that the gradients of the parts add up to the gradient of the whole.
    """

    inputs: dict[str, Inputs]
    rows: Tensor
    targets: dict[str, Tensors] = field(default_factory=dict)
    labelled: dict[str, Tensor] = field(default_factory=dict)
    weight: Tensor | None = None
    domain: Tensor | None = None
    group: Tensor | None = None
    hidden: dict[str, Hidden] = field(default_factory=dict)
    present: dict[str, Tensor] = field(default_factory=dict)
    progress: float = 0.0
    size: int = 0
    labelled_size: dict[str, float] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)

    def part(self, rows: Tensor) -> Batch:
        """These rows of the batch; means are still taken over the whole."""
        picked: Batch = _map(self, lambda tensor: tensor[rows])
        return picked

    def to(self, device: torch.device) -> Batch:
        if device.type == "cpu":
            return self
        moved: Batch = _map(self, lambda tensor: tensor.to(device, non_blocking=True))
        return moved


def whole(batch: Batch, units: Mapping[str, Tensor] | None = None) -> Batch:
    """`batch` with `size` and `labelled_size` counted from its own rows.

    units: by target, what each row counts in the mean of the loss (B,); 1 where left out.
    """
    units = units or {}
    counts = {
        name: float((units[name] * mask).sum() if name in units else mask.sum())
        for name, mask in batch.labelled.items()
    }
    return replace(batch, size=len(batch), labelled_size=counts)


def _map(value: Any, function: Callable[[Tensor], Tensor]) -> Any:
    """`value` with `function` applied to every tensor in it."""
    if isinstance(value, Tensor):
        return function(value)
    if isinstance(value, Mapping):
        return {key: _map(item, function) for key, item in value.items()}
    if isinstance(value, Batch | Hidden):
        return replace(value, **{f.name: _map(getattr(value, f.name), function) for f in fields(value)})
    return value
