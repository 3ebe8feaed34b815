"""What the heads read, of every row: from the cache where the base is frozen, else by a pass."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from graftwork.core.parallel.gathering import all_rows
from graftwork.core.parallel.workers import ALONE, Workers
from graftwork.core.rows.examples import Cached, Examples, make_batch, running
from graftwork.networks.network import Network

FEATURE_ROWS = 4096


def features_of(
    network: Network, examples: Examples, cached: Mapping[str, Cached], workers: Workers = ALONE
) -> np.ndarray:
    """What the heads read, for every row in order (N, width), without gradient and in eval mode.

    Memory-mapped where a single column's whole encoder is cached. workers: compute a part each, and get all.
    """
    if len(network.columns) == 1 and network.film is None and network.columns[0] in cached:
        store = cached[network.columns[0]]
        if isinstance(store.states, np.ndarray) and store.depth == network.encoder(network.columns[0]).depth:
            return store.states
    features = np.zeros((len(examples), network.width), np.float32)
    training, mine = network.training, np.zeros(len(examples), bool)
    network.eval()
    with torch.inference_mode():
        for indices in network.pass_batches(examples.lengths, FEATURE_ROWS, running(network, cached)):
            indices = workers.part(indices)
            features[indices] = network.features(make_batch(examples, network, indices, cached)).rows.cpu().numpy()
            mine[indices] = True
    network.train(training)
    return features if workers.count == 1 else all_rows(features[mine], np.flatnonzero(mine), len(features), workers)
