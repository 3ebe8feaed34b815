"""Maximum mean discrepancy: the features of all domains should have the same distribution, as several kernels see it.

Like CORAL it needs no labels in the target domain, and compares more than covariances: a sum of Gaussian kernels of
several widths notices differences of any kind, if batches are large enough to show them (a few dozen rows a domain). It
does not know classes: where they differ in frequency between the domains it can pull wrong ones together.

Source: Gretton et al. 2012 (the statistic); Long et al. 2015 (several kernels, in a deep network).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from graftwork.spaces import Range, Spaces
from graftwork.techniques.domain.alignment import Alignment

WIDTHS = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Of the kernels, as shares of the mean squared distance between rows."""


def discrepancy(first: Tensor, second: Tensor) -> Tensor:
    """Squared MMD of features (N, F) and (M, F), a scalar from 0 to 2: mean kernel within the domains less that across.

    k(x, y) = mean over WIDTHS of exp(-|x - y|^2 / (width * d)), d the mean squared distance of all rows (a constant).
    """
    rows = torch.cat([first, second])
    lengths = rows.square().sum(1)
    squared = (lengths.unsqueeze(0) + lengths.unsqueeze(1) - 2.0 * rows @ rows.T).clamp_min(0.0)
    usual = squared.detach().sum() / max(len(rows) * (len(rows) - 1), 1)
    kernel = torch.stack([torch.exp(-squared / (width * usual + 1e-12)) for width in WIDTHS]).mean(0)
    cut = len(first)
    return kernel[:cut, :cut].mean() + kernel[cut:, cut:].mean() - 2.0 * kernel[:cut, cut:].mean()


@dataclass(frozen=True)
class MMD(Alignment):
    """Add the discrepancy between the domains' features to the loss."""

    name: ClassVar[str] = "mmd"
    summary: ClassVar[str] = "features of all domains have the same distribution (multi-kernel MMD)"
    searched: ClassVar[Spaces] = {"weight": Range(0.1, 10.0, log=True)}

    def distance(self, first: Tensor, second: Tensor) -> Tensor:
        return discrepancy(first, second)
