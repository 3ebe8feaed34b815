"""Batch-norm statistics of the rows at hand: shared by the techniques that normalise by the rows they predict."""

from __future__ import annotations

import warnings

import numpy as np
import torch

from graftwork.core.technique import Rows
from graftwork.networks.network import Network
from graftwork.networks.norms import batch_norms

BATCH = 64
"""Rows of a batch whose statistics are taken."""
LEAST = 8
"""Rows below which there is nothing to be learned of them."""
_SEED = 0


def shuffled(indices: np.ndarray) -> list[np.ndarray]:
    """These rows in batches of nearly equal size, always mixed alike: a sorted table would fill one with one class."""
    mixed = np.random.default_rng(_SEED).permutation(indices)
    return np.array_split(mixed, -(-len(mixed) // BATCH)) if len(mixed) else []


@torch.no_grad()
def measure(network: Network, rows: Rows, indices: np.ndarray, share: float = 1.0) -> None:
    """Put the mean and variance of these rows in place of the statistics of all batch norms, in place.

    The mean over batches, each normalised by its own. share: weight of the new statistics beside the old ones.
    """
    layers = list(batch_norms(network))
    old = [{name: value.clone() for name, value in layer.named_buffers(recurse=False)} for layer in layers]
    momentum = [layer.momentum for layer in layers]
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # the plain mean over batches
        layer.train()
    for picked in shuffled(indices):
        network.features(rows.batch(picked))
    for layer, before, usual in zip(layers, old, momentum, strict=True):
        layer.eval()
        layer.momentum = usual
        kept = share if layer.get_buffer("num_batches_tracked") else 0.0  # nothing came by: an input that no row has
        for name in ("running_mean", "running_var"):
            layer.get_buffer(name).mul_(kept).add_(before[name], alpha=1.0 - kept)


def enough(rows: int, name: str) -> bool:
    """Whether these are enough rows; a warning where not."""
    if rows >= LEAST:
        return True
    warnings.warn(
        f"{name}: {rows} {'row' if rows == 1 else 'rows'} to predict together, fewer than {LEAST}, say too little: "
        "predicted as without it. Give more rows at once.",
        stacklevel=2,
    )
    return False
