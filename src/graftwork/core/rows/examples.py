"""A table made ready for a network: inputs as token ids or pixels on disk, targets as numbers; and batches of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch import Tensor

from graftwork.core.rows.old_rows import OldRows
from graftwork.core.rows.present import present_rows
from graftwork.data.batch import Batch, Hidden, whole
from graftwork.data.columns.convert import as_text
from graftwork.data.columns.joined import text_values
from graftwork.data.columns.text import TextSettings
from graftwork.data.media.media import content_digest, readable
from graftwork.data.rollouts import Rollouts, read_rollouts
from graftwork.data.store import ragged
from graftwork.data.store.cache import column_digest, digest, entry
from graftwork.data.store.ragged import Ragged
from graftwork.data.store.spool import slices
from graftwork.data.table import Table
from graftwork.data.tensors import Tensors
from graftwork.data.values import Values
from graftwork.networks.encoder import Encoder
from graftwork.networks.network import Network
from graftwork.networks.reader import Reader
from graftwork.tasks.task import Task

CHUNKS = {"text": 8192, "table": 8192, "image": 128, "audio": 32}
"""Rows prepared at a time, by modality: decoded images and sounds are large."""
HELD = {"image": 512, "audio": 64}
"""Prepared rows of these modalities that are held in memory at most."""


@dataclass(frozen=True)
class Examples:
    """N rows ready to be batched.

    inputs: prepared rows by input. keys: a digest of each input's prepared content (for caches).
    present: by input, which rows have it (N,); only where some lack it. tokens: work of each row, by input (N,).
    domains: names of the domains, by their numbers in `domain`.
    targets, labelled: by target column; empty where the table has no target. tasks: whose targets they are, by column.
    numbers: the rows' numbers in the source.

    in_blocks: a pass over them reads them block by block, in their order (`core/frozen/blocks.py`). old_rows: by table,
    those that are of an old task. first: where the rows are streamed, the first of them, of which features are kept
    (`core/frozen/streamed.py`). table: where they come from.
    """

    inputs: dict[str, Ragged]
    keys: dict[str, str]
    numbers: np.ndarray
    targets: dict[str, Values] = field(default_factory=dict)
    labelled: dict[str, np.ndarray] = field(default_factory=dict)
    weight: np.ndarray | None = None
    domain: np.ndarray | None = None
    group: np.ndarray | None = None
    rollouts: Rollouts | None = None
    present: dict[str, np.ndarray] = field(default_factory=dict)
    tokens: dict[str, np.ndarray] = field(default_factory=dict)
    domains: tuple[str, ...] = ()
    in_blocks: bool = False
    tasks: Mapping[str, Task] = field(default_factory=dict)
    old_rows: Mapping[str, OldRows] = field(default_factory=dict)
    first: Examples | None = None
    table: Table | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each row, all inputs together (N,)."""
        total: np.ndarray = np.sum(list(self.tokens.values()), axis=0)
        return total


@dataclass(frozen=True)
class Cached:
    """Hidden states or features of every row behind the first `depth` blocks of one input's encoder.

    states: ragged, a vector a token; or an array of one shape a row. bf16: their bits are those of bfloat16.
    """

    depth: int
    states: Ragged | np.ndarray
    bf16: bool = False


def encoders_of(network: Network, text: TextSettings = TextSettings()) -> dict[str, Reader]:  # noqa: B008
    """What reads each input, with the settings of texts."""
    return {name: Reader(network.encoder(name), text) for name in network.columns}


def held_rows(network: Network, most: int) -> int:
    """Rows to prepare in memory at a time: `most`, fewer where images or sounds are read."""
    return min([most, *(HELD.get(encoder.modality, most) for encoder in network.each_encoder())])


def running(network: Network, cached: Mapping[str, Cached] | None) -> list[str]:
    """The inputs whose encoders, or a part of them, have to run."""
    depths = {name: store.depth for name, store in (cached or {}).items()}
    return [name for name in network.columns if depths.get(name, 0) < network.encoder(name).depth]


def prepare(
    table: Table,
    network: Network,
    tasks: Mapping[str, Task],
    text: TextSettings,
    *,
    keep_on_disk: bool = True,
    in_blocks: bool = False,
    inputs: Mapping[str, Ragged] | None = None,
) -> Examples:
    """Tokenise or decode inputs (once: on disk, keyed by content) and encode targets where the table has them.

    inputs: prepared rows that stand in for those of the table, by input; nothing is read then.
    """
    given, inputs, keys, present = inputs, {}, {}, {}
    for name in network.columns:
        encoder, columns = network.encoder(name), network.sources[name]
        if given is not None:
            inputs[name] = given[name]
            continue
        if keep_on_disk:
            keys[name] = prepared_key(table, encoder, columns, text)
            inputs[name] = _on_disk(table, encoder, columns, text, entry("prepared", keys[name]))
        else:
            inputs[name] = _in_memory(_prepared(table, encoder, columns, text), encoder.prepared_dtype)
        if len(network.columns) > 1 and encoder.modality != "table":
            present.update(present_rows(table, name, columns))
    encoded = {name: task.encode_rows(table, name, encoders_of(network, text)) for name, task in tasks.items()}
    found = {name: targets for name, targets in encoded.items() if targets is not None}
    return Examples(
        inputs=inputs,
        keys=keys,
        numbers=table.rows,
        targets={name: targets.values for name, targets in found.items()},
        labelled={name: targets.labelled for name, targets in found.items()},
        tasks={name: tasks[name] for name in found},
        weight=_weights(table),
        domain=_codes(table, "domain"),
        group=_codes(table, "group"),
        rollouts=read_rollouts(table),
        present=present,
        in_blocks=in_blocks,
        table=table,
        domains=next((column.levels for column in table.schema.columns if column.role == "domain"), ()),
        tokens={name: network.encoder(name).tokens(rows.lengths) for name, rows in inputs.items()},
    )


def is_on_disk(table: Table, network: Network, text: TextSettings) -> bool:
    """Whether `prepare` has kept all inputs of this very table before."""
    return all(
        ragged.exists(entry("prepared", prepared_key(table, network.encoder(name), network.sources[name], text)))
        for name in network.columns
    )


def make_batch(
    examples: Examples,
    network: Network,
    indices: np.ndarray,
    cached: Mapping[str, Cached] | None = None,
    progress: float = 0.0,
) -> Batch:
    """The rows `indices` as one batch on the network's device."""
    inputs, hidden = {}, {}
    for name in network.columns:
        store = (cached or {}).get(name)
        encoder = network.encoder(name)
        if store is None or store.depth < encoder.depth:
            inputs[name] = encoder.collate(examples.inputs[name].rows(indices))
        if store is not None:
            hidden[name] = _hidden(store, indices)
    picked = torch.from_numpy(np.asarray(indices, np.int64))
    batch = Batch(
        inputs=inputs,
        hidden=hidden,
        present={name: torch.from_numpy(mask[indices]) for name, mask in examples.present.items()},
        rows=picked,
        targets={name: _target(examples, name, indices) for name in examples.targets},
        labelled={name: torch.from_numpy(mask[indices]) for name, mask in examples.labelled.items()},
        weight=_picked(examples.weight, indices),
        domain=_picked(examples.domain, indices),
        group=_picked(examples.group, indices),
        progress=progress,
    )
    return whole(batch, units_of(batch, examples.tasks)).to(network.device)


def units_of(batch: Batch, tasks: Mapping[str, Task]) -> dict[str, Tensor]:
    """By target, what each row counts in the mean of the loss (B,)."""
    return {name: tasks[name].units(target) for name, target in batch.targets.items() if name in tasks}


def _target(examples: Examples, name: str, indices: np.ndarray) -> Tensors:
    values, task = examples.targets[name], examples.tasks.get(name)
    return torch.from_numpy(np.asarray(values[indices])) if task is None else task.collate(values, indices)


def _hidden(store: Cached, indices: np.ndarray) -> Hidden:
    if isinstance(store.states, np.ndarray):
        padded = np.asarray(store.states[indices])
    else:
        rows = store.states.rows(indices)
        padded = np.zeros((len(rows), max(map(len, rows)), *rows[0].shape[1:]), dtype=rows[0].dtype)
        for place, row in zip(padded, rows, strict=True):
            place[: len(row)] = row
    states = torch.from_numpy(padded)
    return Hidden(store.depth, (states.view(torch.bfloat16) if store.bf16 else states).float())


def _picked(values: np.ndarray | None, indices: np.ndarray) -> torch.Tensor | None:
    return None if values is None else torch.from_numpy(values[indices])


def prepared_key(table: Table, encoder: Encoder, columns: Sequence[str], text: TextSettings) -> str:
    """Under which the prepared rows of an input are kept."""
    return digest(_digest(table, encoder, columns), encoder.fingerprint, repr(text))


def _digest(table: Table, encoder: Encoder, columns: Sequence[str]) -> str:
    """Of what the encoder reads, files included."""
    if encoder.modality in ("image", "audio"):
        files = content_digest(table.column(columns[0]), table.folder)
        scale = table.scale(columns[0])
        return digest(files, repr(scale)) if scale else files
    return (
        digest(*(column_digest(table.column(name)) for name in columns))
        if len(columns) > 1
        else column_digest(table.column(columns[0]))
    )


def _prepared(table: Table, encoder: Encoder, columns: Sequence[str], text: TextSettings) -> Iterator[list[np.ndarray]]:
    size = CHUNKS[encoder.modality]
    for start in range(0, len(table), size):
        values = [table.column(name).slice(start, size).to_pylist() for name in columns]
        yield prepared_values(values, table, encoder, columns, text)


def prepared_values(
    values: Sequence[list[Any]], table: Table, encoder: Encoder, columns: Sequence[str], text: TextSettings
) -> list[np.ndarray]:
    """Some rows of an input, prepared. values: by column, as Python values."""
    if encoder.modality == "text":
        return encoder.prepare(text_values(values, text))
    if encoder.modality == "table":
        return encoder.prepare(list(zip(*values, strict=True)))
    scale = table.scale(columns[0])
    return encoder.prepare([readable(value, table.folder, scale) for value in values[0]])


def _on_disk(table: Table, encoder: Encoder, columns: Sequence[str], text: TextSettings, folder: Path) -> Ragged:
    """The prepared rows in the cache entry `folder`; written first if they are not there, or damaged."""
    return ragged.write(folder, _prepared(table, encoder, columns, text), encoder.prepared_dtype)


def _in_memory(chunks: Iterator[list[np.ndarray]], dtype: str) -> Ragged:
    rows = [row for chunk in chunks for row in chunk]
    lengths = np.fromiter((len(row) for row in rows), np.int64, len(rows))
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    return Ragged(np.concatenate([*rows, np.zeros(0, dtype)]).astype(dtype), offsets)


def _weights(table: Table) -> np.ndarray | None:
    column = table.schema.role("weight")
    if column is None:
        return None
    values = np.asarray(table.column(column.name).to_numpy(zero_copy_only=False), dtype=np.float32)
    scaled: np.ndarray = values / (values.mean() or 1.0)
    return scaled


def _codes(table: Table, role: str) -> np.ndarray | None:
    """Which domain or group each row belongs to (N,), -1 for none. Domains are numbered as in the training table; one
    that it did not have is -1 too. Groups are numbered in each table by itself."""
    column = table.schema.role("domain" if role == "domain" else "group")
    if column is None:
        return None
    if column.levels:
        known = pa.array(column.levels, pa.string())
        parts = [pc.index_in(as_text(part), known).fill_null(-1) for part in slices(table.column(column.name))]
        numbers: np.ndarray = np.concatenate([np.asarray(part) for part in parts] or [np.zeros(0)]).astype(np.int64)
        return numbers
    codes = table.column(column.name).combine_chunks().cast(pa.string()).dictionary_encode().indices
    filled: np.ndarray = codes.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return filled
