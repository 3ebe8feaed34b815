"""A batch of rows of very unequal length, computed in parts of similar length: no work is spent on padding.

Batches that have to mix lengths (class groups for a contrastive loss, whole few-shot tables) would else pay for the
longest row on every row.
"""

from __future__ import annotations

import torch
from torch import Tensor

from graftwork.data.batch import Hidden, Inputs

PART = 16
"""Rows of a part: fewer would leave the processor idle."""
WASTE = 1.25
"""Padded tokens for each real one from which parting pays."""


def parts(mask: Tensor) -> list[tuple[Tensor, int]] | None:
    """Rows and their common length, short rows first; None where the batch is better computed whole.

    mask (B, length): 1 for tokens, which stand left of the padding.
    """
    if mask.device.type != "cpu" or len(mask) < 2 * PART:
        return None
    lengths = mask.sum(dim=1)
    order = torch.argsort(lengths, stable=True)
    chunks = [(rows, int(lengths[rows[-1]])) for rows in torch.split(order, PART)]
    padded = sum(len(rows) * length for rows, length in chunks)
    return chunks if mask.numel() > WASTE * padded else None


def cut(inputs: Inputs, hidden: Hidden | None, rows: Tensor, length: int) -> tuple[Inputs, Hidden | None]:
    """The part of a batch that these rows are, without the padding they don't need."""
    some = {name: values[rows, :length] for name, values in inputs.items()}
    return some, None if hidden is None else Hidden(hidden.depth, hidden.states[rows, :length])
