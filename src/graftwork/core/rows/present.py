"""Which rows have an input, where some lack it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from graftwork.data.columns.convert import is_missing
from graftwork.data.store.spool import slices
from graftwork.data.table import Table


def present_rows(table: Table, name: str, columns: Sequence[str]) -> dict[str, np.ndarray]:
    """Under the input's name, which rows have it (N,); nothing where all have."""
    missing = np.all([_missing(table.column(column)) for column in columns], axis=0)
    return {name: ~missing} if missing.any() else {}


def _missing(column: pa.ChunkedArray) -> np.ndarray:
    return np.concatenate([is_missing(part) for part in slices(column)] or [np.zeros(0, bool)])
