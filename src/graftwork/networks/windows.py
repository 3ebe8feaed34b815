"""Windows of rows, be they of a sound or of a text: computed one behind the other, then put back in their places."""

from __future__ import annotations

import torch
from torch import Tensor


def spread(vectors: Tensor, rows: Tensor) -> Tensor:
    """Vectors (N, width) of the places (B, L) that `rows` marks, each at its place (B, L, width), zeros elsewhere."""
    empty = torch.zeros(*rows.shape, vectors.shape[1], dtype=vectors.dtype, device=vectors.device)
    return empty.index_put(rows.nonzero(as_tuple=True), vectors)
