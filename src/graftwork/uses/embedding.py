"""Embeddings of rows: what the encoder of an input makes of each of its values, before any head."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from graftwork.core.rows.examples import held_rows, make_batch, prepare
from graftwork.core.scoring import Watch
from graftwork.data.columns.contents import NOTHING, content_ids
from graftwork.data.columns.text import TextSettings
from graftwork.data.table import Table
from graftwork.networks.network import Network

HELD = 16_384
"""Rows prepared at a time, at most."""
TOGETHER = 256
"""Rows of a batch, at most."""


def alone(network: Network, name: str) -> Network:
    """The encoder of one input, which shares its weights with the network."""
    made = Network({name: network.encoder(name)}, {}, sources={name: network.sources[name]})
    made.autocast = network.autocast
    return made.to(network.device).eval()


def embedded(network: Network, table: Table, text: TextSettings, watch: Watch | None = None) -> Iterator[np.ndarray]:
    """Features (N, W) in float32 of the one input of `network`, some rows at a time, in order.

    NaN where a row has nothing to read. watch: told how many rows are done.
    """
    (name,) = network.columns
    for start in range(0, len(table), held_rows(network, HELD)):
        stop = min(start + held_rows(network, HELD), len(table))
        chunk = table.take(np.arange(start, stop))
        examples = prepare(chunk, network, {}, text, keep_on_disk=False)
        found = np.zeros((len(chunk), network.width), np.float32)
        done = 0
        with torch.inference_mode():
            for rows in network.pass_batches(examples.lengths, TOGETHER, [name]):
                found[rows] = network.features(make_batch(examples, network, rows)).rows.float().cpu().numpy()
                done += len(rows)
                if watch is not None:
                    watch(start + done, len(table))
        found[content_ids(chunk, network.sources[name]) == NOTHING] = np.nan
        yield found
