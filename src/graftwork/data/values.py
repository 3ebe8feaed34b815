"""One value a row, whatever its shape: an array, or arrays of unequal length side by side (`Ragged`).

Both are taken apart alike: `values[3]` is a row's own, `values[mask]` and `values[indices]` are those of some rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from graftwork.data.store.ragged import Ragged, from_rows

Values = Any
"""An array (N, ...), or a `Ragged` of N rows: the task whose values they are knows which."""


class Targets(NamedTuple):
    """Encoded targets of N rows, and the mask (N,) of the rows that have one."""

    values: Values
    labelled: np.ndarray


def joined(parts: Sequence[Values]) -> Values:
    """The rows of all parts, one after the other; of one kind, and at least one part."""
    arrays = [part for part in parts if isinstance(part, np.ndarray)]
    if len(arrays) == len(parts):
        return np.concatenate(arrays)
    return from_rows([row for part in parts for row in part])


def arrays_of(values: Values) -> tuple[np.ndarray, ...]:
    """All that they hold, as plain arrays, for a digest."""
    return (np.asarray(values.values), np.asarray(values.offsets)) if isinstance(values, Ragged) else (values,)


class Collector:
    """Gathers the values of rows that come batch by batch and in any order; an array is written in place."""

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._array: np.ndarray | None = None
        self._ragged: list[np.ndarray | None] | None = None

    def put(self, places: np.ndarray, values: np.ndarray | Sequence[np.ndarray]) -> None:
        """Values of the rows that stand at `places`: an array (B, ...), or an array for each row."""
        if isinstance(values, np.ndarray):
            if self._array is None:
                self._array = np.zeros((self._rows, *values.shape[1:]), values.dtype)
            self._array[places] = values
            return
        if self._ragged is None:
            self._ragged = [None] * self._rows
        for place, value in zip(places.tolist(), values, strict=True):
            self._ragged[place] = value

    def values(self, without_rows: np.ndarray) -> Values:
        """All of them; `without_rows` where there is no row at all."""
        if self._ragged is not None:
            return from_rows([row for row in self._ragged if row is not None])
        return without_rows if self._array is None else self._array
