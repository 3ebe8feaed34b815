"""Rows whose text is longer than the network reads: counted where they are predicted, and said once."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np

from graftwork.core.examples import Examples
from graftwork.data.columns.text import TextSettings, normalise
from graftwork.data.table import Table
from graftwork.networks.network import Network
from graftwork.networks.text.encoder import TextEncoder


def cut_off(network: Network, table: Table, examples: Examples, text: TextSettings) -> dict[str, int]:
    """How many rows lose tokens, by input; only inputs with such rows. examples: the rows of `table`, prepared."""
    found = {}
    for name in network.columns:
        encoder = network.encoder(name)
        if not isinstance(encoder, TextEncoder):
            continue
        full = np.flatnonzero(examples.inputs[name].lengths >= encoder.tokenizer.max_length * encoder.tokenizer.windows)
        if not len(full):
            continue
        texts = [normalise(str(value), text) for value in table.column(network.sources[name][0]).take(full).to_pylist()]
        lost = int((encoder.tokenizer.lengths(texts) > encoder.tokenizer.room * encoder.tokenizer.windows).sum())
        found.update({name: lost} if lost else {})
    return found


def warn_of_cut(network: Network, lost: Mapping[str, int], rows: int) -> None:
    """Say of how many of so many rows the end was not read."""
    for name, count in lost.items():
        encoder = network.encoder(name)
        assert isinstance(encoder, TextEncoder)
        limit = encoder.tokenizer.room * encoder.tokenizer.windows
        warnings.warn(
            f"{count:,} of {rows:,} texts in '{name}' are longer than the {limit:,} tokens that the model reads; the "
            "rest of them is not read. A base with windows reads more (docs/bases.md).",
            stacklevel=3,
        )
