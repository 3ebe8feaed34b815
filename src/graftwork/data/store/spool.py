"""Tables that may be large: held in memory while small, in a memory-mapped Arrow file once they are not.

The file has no name any more as soon as it is mapped, so it goes away with the process, however that ends.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from graftwork.data.store.cache import SPOOL, cache_dir, is_closed, storing
from graftwork.errors import DataError

MEMORY_BYTES = 16 << 20
"""Tables up to this size stay in memory."""
SLICE_ROWS = 16_384


def spool(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> pa.Table:
    """The batches as one table, in memory up to 16 MiB and memory-mapped from the cache folder beyond.

    Raises DataError where the cache folder is full or can't be written.
    """
    held: list[pa.RecordBatch] = []
    size = 0
    source = iter(batches)
    for batch in source:
        held.append(batch)
        size += batch.nbytes
        if size > MEMORY_BYTES:
            return _on_disk(held, source, schema)
    return pa.Table.from_batches(held, schema=schema)


def take(table: pa.Table, indices: np.ndarray) -> pa.Table:
    """These rows of the table, in this order; a large result is on disk."""
    parts = (
        batch
        for start in range(0, len(indices), SLICE_ROWS)
        for batch in table.take(pa.array(indices[start : start + SLICE_ROWS])).to_batches()
    )
    return spool(parts, table.schema)


def slices(column: pa.ChunkedArray) -> Iterator[pa.Array]:
    """A column in pieces of at most 16,384 rows, so that work on it needs little memory."""
    for chunk in column.chunks:
        for start in range(0, len(chunk), SLICE_ROWS):
            yield chunk.slice(start, SLICE_ROWS)


def _on_disk(held: list[pa.RecordBatch], rest: Iterator[pa.RecordBatch], schema: pa.Schema) -> pa.Table:
    folder, handle, name = _new_file()
    os.close(handle)
    path = Path(name)
    try:
        with pa.OSFile(name, "wb") as file, pa.ipc.new_file(file, schema) as writer:
            while held:
                with storing(folder):
                    writer.write_batch(held.pop(0))
            for batch in rest:
                with storing(folder):
                    writer.write_batch(batch)
            with storing(folder):
                writer.close()
        with pa.memory_map(name) as mapped:
            return pa.ipc.open_file(mapped).read_all()
    finally:
        try:
            path.unlink()
        except PermissionError:  # Windows keeps a mapped file; `prune` takes it later
            os.utime(path, (0, 0))


def _new_file() -> tuple[Path, int, str]:
    """A file in the cache folder; where that can't be written, among the temporary files."""
    folder = cache_dir() / SPOOL
    try:
        with storing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            return folder, *tempfile.mkstemp(suffix=".arrow", dir=folder)
    except DataError as error:
        if not is_closed(error):
            raise
    folder = Path(tempfile.gettempdir())
    with storing(folder):
        return folder, *tempfile.mkstemp(suffix=".arrow", dir=folder)
