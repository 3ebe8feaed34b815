"""Rows of unequal length in one flat memory-mapped array on disk: token ids, cached hidden states.

Memory stays flat as rows grow: only the offsets (8 bytes a row) are held, values are paged in as they are read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Ragged:
    """`len(offsets) - 1` rows; row i is `values[offsets[i]:offsets[i + 1]]`, of shape (length, *inner)."""

    values: np.ndarray
    offsets: np.ndarray

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> np.ndarray:
        return np.asarray(self.values[self.offsets[row] : self.offsets[row + 1]])

    def rows(self, indices: Sequence[int] | np.ndarray) -> list[np.ndarray]:
        return [self[int(row)] for row in indices]

    @property
    def lengths(self) -> np.ndarray:
        return np.diff(self.offsets)


def write(folder: Path, chunks: Iterable[Sequence[np.ndarray]], dtype: str, inner: tuple[int, ...] = ()) -> Ragged:
    """Write rows chunk by chunk into `folder` and map them. The folder appears whole or not at all."""
    partial = folder.with_name(f"{folder.name}.partial-{os.getpid()}")
    partial.mkdir(parents=True, exist_ok=True)
    lengths: list[np.ndarray] = [np.zeros(1, np.int64)]
    with open(partial / "values.bin", "wb") as file:
        for chunk in chunks:
            for row in chunk:
                file.write(np.ascontiguousarray(row, dtype=dtype).tobytes())
            lengths.append(np.fromiter((len(row) for row in chunk), np.int64, len(chunk)))
    offsets = np.cumsum(np.concatenate(lengths))
    np.save(partial / "offsets.npy", offsets)
    (partial / "ragged.json").write_text(json.dumps({"dtype": dtype, "inner": list(inner)}))
    _publish(partial, folder)
    return read(folder)


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


def _publish(partial: Path, folder: Path) -> None:
    try:
        os.rename(partial, folder)
    except OSError:
        if not exists(folder):  # another process may have written the same content first
            raise
        for file in partial.iterdir():
            file.unlink()
        partial.rmdir()


def chunked(values: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """Consecutive slices of at most `size`."""
    for start in range(0, len(values), size):
        yield values[start : start + size]
