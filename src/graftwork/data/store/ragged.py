"""Rows of unequal length in one flat memory-mapped array on disk: token ids, cached hidden states.

Memory stays flat as rows grow: only the offsets (8 bytes a row) are held, values are paged in as they are read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any, overload

import numpy as np

from graftwork.data.store.cache import storing
from graftwork.data.store.entries import kept


@dataclass(frozen=True)
class Ragged:
    """`len(offsets) - 1` rows; row i is `values[offsets[i]:offsets[i + 1]]`, of shape (length, *inner)."""

    values: np.ndarray
    offsets: np.ndarray

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @overload
    def __getitem__(self, row: int) -> np.ndarray: ...

    @overload
    def __getitem__(self, row: np.ndarray) -> Ragged: ...

    def __getitem__(self, row: int | np.ndarray) -> np.ndarray | Ragged:
        """A row's own values; of indices or a mask (N,) those rows, in memory."""
        if isinstance(row, np.ndarray):
            places = np.flatnonzero(row) if row.dtype == bool else row
            return from_rows(self.rows(places), self.values)
        return np.asarray(self.values[self.offsets[row] : self.offsets[row + 1]])

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self[row] for row in range(len(self)))

    def rows(self, indices: Sequence[int] | np.ndarray) -> list[np.ndarray]:
        return [self[int(row)] for row in indices]

    @property
    def lengths(self) -> np.ndarray:
        return np.diff(self.offsets)


def from_rows(rows: Sequence[np.ndarray], like: np.ndarray | None = None) -> Ragged:
    """Rows in memory. like: values of the same type and inner shape, for no row at all."""
    lengths = np.fromiter((len(row) for row in rows), np.int64, len(rows))
    nothing = np.zeros(0, np.int64) if like is None else like[:0]
    return Ragged(
        np.concatenate(rows) if len(rows) else nothing, np.concatenate([np.zeros(1, np.int64), lengths.cumsum()])
    )


def write(folder: Path, chunks: Iterable[Sequence[np.ndarray]], dtype: str, inner: tuple[int, ...] = ()) -> Ragged:
    """Write rows chunk by chunk into the cache entry `folder` and map them; where it is there and whole, map it only.

    Raises DataError where the disk is full or the folder can't be written; nothing half-written is left behind.
    """
    return kept(folder, lambda place: fill(place, chunks, dtype, inner), read)


def fill(folder: Path, chunks: Iterable[Sequence[np.ndarray]], dtype: str, inner: tuple[int, ...] = ()) -> None:
    """Write rows chunk by chunk into the existing `folder`."""
    with storing(folder):
        file = open(folder / "values.bin", "wb", buffering=0)  # noqa: SIM115 - closed below
    lengths: list[np.ndarray] = [np.zeros(1, np.int64)]
    with file:
        for chunk in chunks:
            content = b"".join(np.ascontiguousarray(row, dtype=dtype).tobytes() for row in chunk)
            with storing(folder):
                _write_all(file, content)
            lengths.append(np.fromiter((len(row) for row in chunk), np.int64, len(chunk)))
    with storing(folder):
        np.save(folder / "offsets.npy", np.cumsum(np.concatenate(lengths)))
        (folder / "ragged.json").write_text(json.dumps({"dtype": dtype, "inner": list(inner)}))


def _write_all(file: FileIO, content: bytes) -> None:
    """Unbuffered, so that a full disk shows here and not when the file is closed."""
    view = memoryview(content)
    while len(view):
        view = view[file.write(view) :]


def read(folder: Path) -> Ragged:
    """Map what `write` left in `folder`."""
    meta: dict[str, Any] = json.loads((folder / "ragged.json").read_text())
    offsets = np.load(folder / "offsets.npy", mmap_mode="r")
    shape = (int(offsets[-1]), *meta["inner"])
    if 0 in shape:
        return Ragged(np.zeros(shape, meta["dtype"]), np.asarray(offsets))
    return Ragged(np.memmap(folder / "values.bin", dtype=meta["dtype"], mode="r", shape=shape), np.asarray(offsets))


def exists(folder: Path) -> bool:
    return (folder / "ragged.json").is_file()


def allocate(folder: Path, lengths: np.ndarray, dtype: str, inner: tuple[int, ...]) -> Ragged:
    """Room in the existing `folder` for rows of these lengths, to be filled in any order; `read` maps it afterwards."""
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])
    np.save(folder / "offsets.npy", offsets)
    (folder / "ragged.json").write_text(json.dumps({"dtype": dtype, "inner": list(inner)}))
    shape = (int(offsets[-1]), *inner)
    if 0 in shape:
        (folder / "values.bin").touch()
        return Ragged(np.zeros(shape, dtype), offsets)
    reserve(folder / "values.bin", int(np.prod(shape)) * np.dtype(dtype).itemsize)
    return Ragged(np.memmap(folder / "values.bin", dtype=dtype, mode="r+", shape=shape), offsets)


def reserve(path: Path, size: int) -> None:
    """Make a file of `size` bytes that has its room on the disk.

    Writing to a mapped file without room kills the process (SIGBUS); here a full disk is an OSError.
    """
    with open(path, "wb") as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)
        else:
            file.truncate(size)
