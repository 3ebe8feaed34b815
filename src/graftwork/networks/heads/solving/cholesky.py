"""The Cholesky factor of a matrix that rounding may have left not quite positive definite.

Rows that are nearly alike make a kernel matrix singular up to rounding. Single precision is tried first, then double,
then a ridge on the diagonal that grows until the factor exists.
"""

from __future__ import annotations

import warnings

import torch
from torch import Tensor

from graftwork.errors import NumericalError

RIDGES = (1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2)
"""Shares of the mean diagonal that are tried, one after the other."""
SAID = 1e-3
"""From this share on the ridge changes what is learned, and a warning says so."""


def cholesky(matrix: Tensor) -> Tensor:
    """The lower factor of a symmetric matrix (N, N), in the precision in which it exists; `matrix` itself may change.

    Raises NumericalError where no ridge helps: for numbers that are not finite, or rows that can't be told apart.
    """
    factor: Tensor
    factor, failed = torch.linalg.cholesky_ex(matrix)
    if not failed:
        return factor
    del factor
    ridges = RIDGES if matrix.dtype == torch.float64 else (0.0, *RIDGES)
    matrix = matrix.double()
    mean, added = float(matrix.diagonal().mean()), 0.0
    for ridge in ridges:
        matrix.diagonal().add_((ridge - added) * mean)
        added = ridge
        factor, failed = torch.linalg.cholesky_ex(matrix)
        if not failed:
            if ridge >= SAID:
                warnings.warn(
                    f"Many rows are so much alike that the kernel head was solved with a ridge of {ridge:g} more.",
                    stacklevel=2,
                )
            return factor
    raise NumericalError(
        f"The kernel head can't be solved on these {len(matrix):,} rows: they are too much alike, or their features "
        "are not finite. Use the head linear or mlp (--set head=linear)."
    )
