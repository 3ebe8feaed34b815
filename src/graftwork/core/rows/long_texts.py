"""Rows whose text is longer than the network reads: counted where they are predicted, and said once."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np

from graftwork.core.rows.examples import Examples
from graftwork.data.columns.joined import text_values
from graftwork.data.columns.text import TextSettings
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
        texts = text_values([table.column(column).take(full).to_pylist() for column in network.sources[name]], text)
        lost = int((encoder.tokenizer.lengths(texts) > _limit(network, name, encoder)).sum())
        found.update({name: lost} if lost else {})
    return found


def warn_of_cut(network: Network, lost: Mapping[str, int], rows: int) -> None:
    """Say of how many of so many rows the end was not read."""
    for name, count in lost.items():
        encoder = network.encoder(name)
        assert isinstance(encoder, TextEncoder)
        limit, joined = _limit(network, name, encoder), len(network.sources[name]) > 1
        remedy = "" if joined else " A base with windows reads more (docs/bases.md)."
        warnings.warn(
            f"{count:,} of {rows:,} texts in '{name}' are longer than the {limit:,} tokens that the model reads; the "
            f"rest of them is not read.{remedy}",
            stacklevel=3,
        )


def _limit(network: Network, name: str, encoder: TextEncoder) -> int:
    """Tokens of a row that are read, special ones apart."""
    return encoder.tokenizer.room(joined=len(network.sources[name]) > 1) * encoder.tokenizer.windows
