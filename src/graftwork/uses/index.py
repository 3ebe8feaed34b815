"""The embedded rows of a table that are searched, and how they are kept: an index is a folder.

It holds index.json (of which model it is), embeddings.safetensors and rows.arrow (the table's columns). No pickle,
and no server.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from graftwork.core.training.checkpoint import disk_errors
from graftwork.data.read.arrow_files import sound
from graftwork.data.store.cache import storing
from graftwork.data.store.locks import claimed, settled
from graftwork.data.store.names import check_links, inside
from graftwork.data.store.staging import staged
from graftwork.data.store.writing import write_text
from graftwork.errors import DataError, ModelError, UsageError
from graftwork.networks.manifest import checksums, sealed

FORMAT = 1
FOLDER = "index"
"""The folder of an index, in that of its model."""
ABOUT, EMBEDDINGS, ROWS = "index.json", "embeddings.safetensors", "rows.arrow"
NUMBERS = "numbers"
"""The tensor with the rows' numbers in their source."""
CHUNK = 65_536
"""Rows compared at a time."""


@dataclass(frozen=True)
class Hit:
    """A row that was found. row: its number in the indexed table, from 1. score: cosine, from -1 to 1. values: its
    columns by name."""

    row: int
    score: float
    values: dict[str, Any]


class Sliced(Protocol):
    """Rows that are read some at a time, from memory or from a file."""

    def __getitem__(self, rows: slice, /) -> np.ndarray: ...


@dataclass(frozen=True)
class Index:
    """The embedded rows of a table. fingerprint: of the model that made it. embeddings: by input (N, width), of length
    1, NaN where a row lacks the input. rows: all columns of the table. numbers: those of its rows in their source (N,).
    """

    fingerprint: str
    embeddings: Mapping[str, Sliced]
    rows: pa.Table
    numbers: np.ndarray

    def __len__(self) -> int:
        return len(self.numbers)

    def nearest(self, query: np.ndarray, against: str, k: int) -> list[Hit]:
        """The `k` rows whose input `against` is most like the query (width,), best first; fewer if there are fewer."""
        found, scores = np.zeros(0, np.int64), np.zeros(0, np.float32)
        for start in range(0, len(self), CHUNK):
            likeness = np.asarray(self.embeddings[against][start : min(start + CHUNK, len(self))]) @ query
            known = np.flatnonzero(~np.isnan(likeness))
            best = known[np.argsort(-likeness[known], kind="stable")[:k]]
            found, scores = np.concatenate([found, best + start]), np.concatenate([scores, likeness[best]])
            order = np.argsort(-scores, kind="stable")[:k]
            found, scores = found[order], scores[order]
        values = self.rows.take(pa.array(found)).to_pylist()
        each = zip(self.numbers[found].tolist(), scores.tolist(), values, strict=True)
        return [Hit(row, score, value) for row, score, value in each]


def write_index(index: Index, model_folder: Path) -> Path:
    """Save an index beside its model; it appears whole, in the place of an older one. Returns its folder."""
    from safetensors.numpy import save_file

    folder = inside(model_folder, FOLDER)
    with claimed(folder), storing(folder), staged(folder, ABOUT) as place:
        tensors = {side: np.ascontiguousarray(values[:]) for side, values in index.embeddings.items()}
        named = {f"side.{side}": values for side, values in tensors.items()}
        with disk_errors():
            save_file(named | {NUMBERS: index.numbers}, place / EMBEDDINGS)
        with pa.OSFile(str(place / ROWS), "wb") as file, pa.ipc.new_file(file, index.rows.schema) as writer:
            writer.write_table(index.rows, max_chunksize=CHUNK)
        about = {"format": FORMAT, "fingerprint": index.fingerprint, "rows": len(index)}
        write_text(place / ABOUT, json.dumps(sealed(about | {"sides": list(tensors), "files": checksums(place)})))
    return folder


def read_index(model_folder: Path) -> Index:
    """The index beside a model; its embeddings stay on disk. Raises ModelError where it is missing or damaged."""
    from safetensors import SafetensorError, safe_open

    folder = inside(model_folder, FOLDER)
    with suppress(OSError, DataError, UsageError):  # where nothing can be written, what is there is read
        settled(folder, ABOUT)
    if not (folder / ABOUT).is_file():
        raise ModelError(f"{model_folder} has no index. Make one: graft index {model_folder} TABLE.")
    try:
        check_links(folder)
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        if about["format"] != FORMAT:
            raise ModelError(f"{folder} has format {about['format']}; this graftwork reads {FORMAT}. Index again.")
        if "checksum" in about and about != sealed(about | {"files": checksums(folder, about["files"])}):
            raise ValueError("it is not as it was written")  # older versions wrote no checksum
        opened: Any = safe_open(folder / EMBEDDINGS, framework="np")  # its methods have no types
        sides = {side: opened.get_slice(f"side.{side}") for side in about["sides"]}
        with pa.memory_map(str(folder / ROWS)) as mapped:
            reader = pa.ipc.open_file(mapped)
            rows = pa.Table.from_batches(sound(reader), reader.schema)
        numbers = opened.get_tensor(NUMBERS)
        whole = len(rows) == len(numbers) == about["rows"]
        made_by = str(about["fingerprint"])
    except (OSError, ValueError, KeyError, TypeError, SafetensorError, pa.ArrowInvalid) as error:
        raise ModelError(f"{folder} is a damaged index ({error}). Make it again: graft index.") from None
    if not whole:
        raise ModelError(f"{folder} is a damaged index: its parts have different lengths. Make it again: graft index.")
    return Index(made_by, sides, rows, numbers)
