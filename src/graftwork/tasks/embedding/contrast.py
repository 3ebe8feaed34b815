"""Losses that pull the two sides of a row together, and push them away from the other rows of the batch.

left, right: (B, W) embeddings of length 1. same: (B, B), True where row i's left side and row j's right side belong
together: on the diagonal, and where rows share the content of a side, so that no true pair is pushed apart.
Both give a loss for each row (B,), whose mean is the published one.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def clip_loss(left: Tensor, right: Tensor, same: Tensor, scale: Tensor) -> Tensor:
    """Symmetric InfoNCE: cross-entropy of finding the right partner among the batch, mean of both ways.

    Radford et al. 2021 (CLIP). With several partners, the mean of their log-probabilities (Yang et al. 2022, UniCL).
    """
    logits = scale * left @ right.T
    partners = same.to(logits.dtype)
    there = (F.log_softmax(logits, dim=1) * partners).sum(dim=1) / partners.sum(dim=1)
    back = (F.log_softmax(logits, dim=0) * partners).sum(dim=0) / partners.sum(dim=0)
    return -0.5 * (there + back)


def siglip_loss(left: Tensor, right: Tensor, same: Tensor, scale: Tensor, bias: Tensor) -> Tensor:
    """Each pair by itself belongs together or not: logistic loss, summed over the partners of each left row.

    Zhai et al. 2023 (SigLIP). It needs no softmax over the batch, so that small batches serve too.
    """
    logits = scale * left @ right.T + bias
    signs = torch.where(same, 1.0, -1.0)
    return -F.logsigmoid(signs * logits).sum(dim=1)
