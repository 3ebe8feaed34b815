"""How the features of each input are distributed over the training rows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from graftwork.core.rows.examples import Cached, Examples, make_batch, running
from graftwork.networks.fusion.fusion import FeatureStatistics
from graftwork.networks.network import Network

FEW = 256
"""Rows that are looked at where an encoder has to run for it."""


def input_moments(network: Network, examples: Examples, cached: Mapping[str, Cached]) -> list[FeatureStatistics]:
    """By input, mean and deviation of each of its features (of each of its tokens, for a fusion that reads those).

    Over all rows that have the input where nothing has to be computed, else over some. An input that no row has, has
    the mean 0 and the deviation 1.
    """
    rows = np.arange(len(examples))
    if not all(_at_hand(network, name, cached) for name in network.columns):
        rows = np.unique(np.linspace(0, len(examples) - 1, min(FEW, len(examples))).astype(np.int64))
    sums: list[list[torch.Tensor]] = [[] for _ in network.columns]
    training = network.training
    network.eval()
    with torch.inference_mode():
        for indices in network.pass_batches(examples.lengths[rows], FEW, running(network, cached)):
            parts, present = network.parts(make_batch(examples, network, rows[indices], cached))
            for kept, part, has in zip(sums, parts, present, strict=True):
                found = _double(part.flatten(0, -2) if has is None else part[has])
                kept.append(torch.stack([torch.ones_like(found), found, found.square()]).sum(dim=1))
    network.train(training)
    moments = [_moments(torch.stack(kept).sum(dim=0)) for kept in sums]
    return [(mean.to(network.device), deviation.to(network.device)) for mean, deviation in moments]


def _double(values: torch.Tensor) -> torch.Tensor:
    """In float64, which Apple's GPUs lack."""
    return (values.cpu() if values.device.type == "mps" else values).double()


def _at_hand(network: Network, name: str, cached: Mapping[str, Cached]) -> bool:
    encoder = network.encoder(name)
    return encoder.modality == "table" or (name in cached and cached[name].depth == encoder.depth)


def _moments(sums: torch.Tensor) -> FeatureStatistics:
    count, total, squares = sums
    if not count.any():
        return torch.zeros_like(total).float(), torch.ones_like(total).float()
    mean = total / count
    return mean.float(), (squares / count - mean.square()).clamp(min=0).sqrt().float()
