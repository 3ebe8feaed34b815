"""One tensor or several by name, of which every first dimension is rows: what a head gives and what a target is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

Tensors = Tensor | Mapping[str, Tensor]
"""First dimension: rows."""


def one_tensor(values: Tensors) -> Tensor:
    """The tensor, for what works on a single one. Raises TypeError where there are several by name."""
    if not isinstance(values, Tensor):
        raise TypeError(f"Expected one tensor, not {', '.join(values) or 'nothing'} by name.")
    return values


def each_tensor(function: Callable[..., Tensor], first: Tensors, *others: Tensors) -> Tensors:
    """`function` of the tensors of the same name."""
    if isinstance(first, Tensor):
        return function(first, *others)
    return {name: function(value, *(other[name] for other in others)) for name, value in first.items()}  # type: ignore[index]


def floats(function: Callable[[Tensor], Tensor], values: Tensors) -> Tensors:
    """`function` of the tensors of floating-point numbers; masks and indices stay as they are."""
    return each_tensor(lambda tensor: function(tensor) if tensor.is_floating_point() else tensor, values)


def in_float32(values: Tensors) -> Tensors:
    """The floating-point numbers in float32."""
    return floats(Tensor.float, values)


def detached(values: Tensors) -> Tensors:
    """Without a graph."""
    return each_tensor(Tensor.detach, values)


def joined(values: Sequence[Tensors]) -> Tensors:
    """The rows of all, one after the other; what is shorter in another dimension is filled with 0."""
    return each_tensor(lambda *tensors: torch.cat([_filled(tensor, tensors) for tensor in tensors]), *values)


def _filled(tensor: Tensor, all_of_them: Sequence[Tensor]) -> Tensor:
    room = [max(other.shape[at] for other in all_of_them) - tensor.shape[at] for at in range(1, tensor.ndim)]
    return F.pad(tensor, [side for more in reversed(room) for side in (0, more)]) if any(room) else tensor
