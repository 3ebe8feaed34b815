"""Training rows that are streamed: each is prepared when a step comes to it, and neither it nor its features are kept.

For more rows than there is time to read twice. Only the first ones are prepared as usual and read once before the first
step, so that heads can be solved on their features. Which rows a step reads is a function of the seed alone, as ever:
their lengths, by which batches are made, are known without preparing them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pyarrow.compute as pc

from graftwork.core.frozen.cache import Watch, build_cache
from graftwork.core.parallel.workers import ALONE, Workers
from graftwork.core.rows.examples import Cached, Examples, prepare, prepared_key, prepared_values
from graftwork.core.rows.present import present_rows
from graftwork.data.columns.convert import as_text
from graftwork.data.columns.text import TextSettings
from graftwork.data.store.cache import digest
from graftwork.data.store.ragged import Ragged, from_rows
from graftwork.data.store.spool import slices
from graftwork.data.table import Table
from graftwork.networks.encoder import Encoder
from graftwork.networks.network import Network
from graftwork.tasks.task import Task


@dataclass(frozen=True)
class Streamed(Ragged):
    """Rows that are prepared each time they are asked for. The offsets are those of estimated lengths."""

    prepare: Callable[[np.ndarray], list[np.ndarray]]

    def __getitem__(self, row: int | np.ndarray) -> np.ndarray | Ragged:  # type: ignore[override]
        if isinstance(row, np.ndarray):
            return from_rows(self.rows(np.flatnonzero(row) if row.dtype == bool else row), self.values)
        return self.rows([row])[0]

    def rows(self, indices: Sequence[int] | np.ndarray) -> list[np.ndarray]:
        return self.prepare(np.asarray(indices))


def streamed(
    table: Table,
    network: Network,
    tasks: Mapping[str, Task],
    text: TextSettings,
    first: int,
    *,
    in_blocks: bool = False,
) -> Examples:
    """The rows of the table, of which the first so many are prepared now."""
    begun = prepare(table.take(np.arange(first)), network, tasks, text, in_blocks=in_blocks)
    inputs: dict[str, Ragged] = {}
    keys: dict[str, str] = {}
    present: dict[str, np.ndarray] = {}
    for name in network.columns:
        encoder, columns, known = network.encoder(name), network.sources[name], begun.inputs[name]
        lengths = _lengths(table, encoder, columns, known.lengths)
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
        inputs[name] = Streamed(known.values[:0], offsets, partial(_rows, table, encoder, columns, text))
        keys[name] = digest("streamed", prepared_key(table, encoder, columns, text))
        if len(network.columns) > 1 and encoder.modality != "table":
            present |= present_rows(table, name, columns)
    whole = prepare(table, network, tasks, text, inputs=inputs)
    return replace(whole, keys=keys, present=present, first=begun)


def first_cached(network: Network, first: Examples, watch: Watch | None, workers: Workers = ALONE) -> dict[str, Cached]:
    """The features of the first rows with the network as it stands before the first step, by input: from the pass of a
    probe where it made one."""
    if network.reads_tokens:
        return {}
    whole = {name: network.encoder(name).depth for name in network.columns}
    return build_cache(network, first, {name: depth for name, depth in whole.items() if depth > 1}, watch, workers)


def _rows(
    table: Table, encoder: Encoder, columns: Sequence[str], text: TextSettings, indices: np.ndarray
) -> list[np.ndarray]:
    values = [[table.column(name)[int(row)].as_py() for row in indices] for name in columns]
    made = prepared_values(values, table, encoder, columns, text)
    return [np.ascontiguousarray(row, dtype=encoder.prepared_dtype) for row in made]


def _lengths(table: Table, encoder: Encoder, columns: Sequence[str], known: np.ndarray) -> np.ndarray:
    """Lengths of all prepared rows (N,): of texts by their bytes, which the table knows; of others the mean.

    known: the lengths of the first rows.
    """
    mean = max(1.0, float(known.mean()))
    if encoder.modality != "text":
        return np.full(len(table), round(mean), np.int64)
    sizes = np.sum([_bytes(table, name) for name in columns], axis=0)
    each = known.sum() / max(1, int(sizes[: len(known)].sum()))
    found: np.ndarray = np.clip(np.round(sizes * each), known.min(), known.max()).astype(np.int64)
    found[: len(known)] = known
    return found


def _bytes(table: Table, name: str) -> np.ndarray:
    parts = [pc.binary_length(as_text(part)).fill_null(0).to_numpy() for part in slices(table.column(name))]
    return np.concatenate([*parts, np.zeros(0)]).astype(np.int64)
