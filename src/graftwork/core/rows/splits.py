"""Words that a model with a trimmed table of tokens reads otherwise than its base would: said where rows are read."""

from __future__ import annotations

import warnings

import numpy as np

from graftwork.data.columns.joined import text_values
from graftwork.data.columns.text import TextSettings
from graftwork.data.table import Table
from graftwork.networks.network import Network
from graftwork.networks.text.encoder import TextEncoder

LOOKED_AT, LEAST = 2000, 20
"""Rows that are looked at, at most, and below which nothing is said."""
SAID = 0.01
"""Share of the words and word pieces from which it is said."""


def warn_of_splits(network: Network, table: Table, text: TextSettings) -> None:
    """Say how many of the words in these rows are split otherwise than the whole tokenizer of the base splits them."""
    if len(table) < LEAST:
        return
    rows = np.unique(np.linspace(0, len(table) - 1, min(LOOKED_AT, len(table))).astype(np.int64))
    for name in network.columns:
        encoder = network.encoder(name)
        if not isinstance(encoder, TextEncoder) or not encoder.tokenizer.is_trimmed:
            continue
        texts = text_values([table.column(column).take(rows).to_pylist() for column in network.sources[name]], text)
        found = encoder.tokenizer.otherwise(texts)
        if found.missing >= SAID * max(1, found.pieces):
            warnings.warn(
                f"{100 * found.missing / found.pieces:.1f} % of the words and word pieces in '{name}' are none that "
                "the model kept of its base, since they did not occur in its training rows: it reads them as shorter "
                "pieces. A model trained with more rows, or with vocabulary=whole behind the base, knows them.",
                stacklevel=3,
            )
