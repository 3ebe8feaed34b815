"""A number for what a row holds in some columns, so that rows with the same content can be told."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from graftwork.data.columns.convert import is_missing
from graftwork.data.store.spool import slices
from graftwork.data.table import Table

NOTHING = -1


def content_ids(table: Table, columns: Sequence[str]) -> np.ndarray:
    """(N,), int64: the same for the same content, apart from white space; -1 where every column is empty.

    The same content has the same number in every process. A file is known by its path, not by what is in it.
    """
    found = np.zeros(len(table), np.int64)
    empty = np.ones(len(table), bool)
    for name in columns:
        start = 0
        for part in slices(table.column(name)):
            rows = slice(start, start + len(part))
            empty[rows] &= is_missing(part)
            found[rows] = [_number(before, value) for before, value in zip(found[rows], part.to_pylist(), strict=True)]
            start += len(part)
    found[empty] = NOTHING
    return found


def _number(before: np.int64, value: Any) -> int:
    if isinstance(value, Mapping):
        value = value.get("bytes") or value.get("path")
    plain = value if isinstance(value, bytes) else " ".join(str(value).split()).encode()
    hashed = hashlib.blake2b(plain, digest_size=8, key=int(before).to_bytes(8, "little", signed=True)).digest()
    return int.from_bytes(hashed, "little") >> 1
