"""Arrays of all workers brought together: of whole batches, and values of rows that each worker computed a part of."""

from __future__ import annotations

import json

import numpy as np

from graftwork.core.parallel.workers import Workers
from graftwork.data.store.ragged import Ragged, from_rows
from graftwork.data.values import Values

HEADER = 128
"""Bytes that tell the shape and kind of an array."""


def each_array(array: np.ndarray | None, workers: Workers) -> list[np.ndarray | None]:
    """The array of each worker, whatever its shape; None of a worker that has none."""
    told = "null" if array is None else json.dumps([array.dtype.str, list(array.shape)])
    headers = workers.gather(np.frombuffer(told.ljust(HEADER).encode(), np.uint8).reshape(1, HEADER))
    own = b"" if array is None else np.ascontiguousarray(array).tobytes()
    content, found, start = workers.gather(np.frombuffer(own, np.uint8)), list[np.ndarray | None](), 0
    for header in headers:
        known = json.loads(header.tobytes())
        if known is None:
            found.append(None)
            continue
        kind, shape = np.dtype(known[0]), tuple(known[1])
        size = kind.itemsize * int(np.prod(shape, dtype=np.int64))
        found.append(content[start : start + size].view(kind).reshape(shape))
        start += size
    return found


def all_rows(values: Values, mine: np.ndarray, rows: int, workers: Workers) -> Values:
    """The values of all rows in order, of which each worker has those of its own, `mine` (n,), in ascending order.

    values: an array (n, ...) or a `Ragged` of n rows.
    """
    places = workers.gather(mine)
    if not isinstance(values, Ragged):
        gathered = workers.gather(values)
        whole = np.zeros((rows, *gathered.shape[1:]), gathered.dtype)
        whole[places] = gathered
        return whole
    ends = np.cumsum(workers.gather(np.diff(values.offsets)))
    parts = np.split(workers.gather(np.asarray(values.values)), ends[:-1])
    by_place = dict(zip(places.tolist(), parts, strict=True))
    return from_rows([by_place[place] for place in range(rows)])
