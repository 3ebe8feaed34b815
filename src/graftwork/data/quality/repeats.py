"""Which rows of a table hold the same inputs: by what files of images and sounds hold, whatever they are called."""

from __future__ import annotations

from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from graftwork.data.columns.convert import with_columns
from graftwork.data.media.media import MediaError, content
from graftwork.data.quality.compare import input_hashes
from graftwork.data.store.spool import slices
from graftwork.data.table import Table


def row_keys(table: Table) -> np.ndarray:
    """A number for each row's inputs (N,), the same for the same inputs, apart from case and white space of texts;
    comparable in this process only."""
    media = [column.name for column in table.schema.inputs if column.kind in ("image", "audio")]
    changed = {name: _contents(table.column(name), table.folder) for name in media}
    return input_hashes(replace(table, data=with_columns(table.data, changed)) if media else table)


def first_alike(*keys: np.ndarray) -> np.ndarray:
    """Of each row, the first one with the same keys (N,), itself where no other has them. keys: (N,) each.

    >>> first_alike(np.array([5, 7, 5, 5]), np.array([0, 0, 0, 1])).tolist()
    [0, 1, 0, 3]
    """
    whole = np.stack(keys, axis=1)
    _, first, number = np.unique(whole, axis=0, return_index=True, return_inverse=True)
    found: np.ndarray = first[number.reshape(-1)]
    return found


def groups_alike(keys: np.ndarray) -> list[np.ndarray]:
    """The rows of each key that several rows have, in order, by the first of them. keys: (N,).

    >>> [rows.tolist() for rows in groups_alike(np.array([5, 7, 5, 8, 7]))]
    [[0, 2], [1, 4]]
    """
    order = np.argsort(keys, kind="stable")
    starts = np.flatnonzero(np.diff(keys[order], prepend=keys[order[:1]] - 1)) if len(keys) else order
    groups = [rows for rows in np.split(order, starts[1:]) if len(rows) > 1]
    return sorted(groups, key=lambda rows: int(rows[0]))


def _contents(column: pa.ChunkedArray, folder: Path | None) -> pa.ChunkedArray:
    """Digests in place of files; what can't be read is known by its name."""
    digests = [_digest(value, folder) for part in slices(column) for value in part.to_pylist()]
    return pa.chunked_array([pa.array(digests, pa.string())])


def _digest(value: Any, folder: Path | None) -> str | None:
    try:
        encoded = content(value, folder)
    except MediaError:
        return str(value)
    return None if encoded is None else blake2b(encoded, digest_size=16).hexdigest()
