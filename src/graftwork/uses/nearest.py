"""Search: a model of two aligned inputs embeds the rows of a table once, and finds them by either input.

The search is exact: a query is compared with every row, some rows at a time, so that memory stays flat. An index is a
folder: index.json (of which model it is), embeddings.safetensors and rows.arrow (the table's columns). No pickle, and
no server. It belongs to the weights that made it, and is refused for others.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from graftwork.core.checkpoint import disk_errors
from graftwork.core.examples import held_rows, prepare
from graftwork.core.scoring import Watch, part_of, predict_examples
from graftwork.data.columns.contents import NOTHING, content_ids
from graftwork.data.load import Source, load_like
from graftwork.data.media.images import is_picture
from graftwork.data.media.paths import shown_kind
from graftwork.data.quality.checks import OnBadRows
from graftwork.data.read.arrow_files import sound
from graftwork.data.store.cache import digest, storing
from graftwork.data.store.locks import claimed, settled
from graftwork.data.store.names import check_links, inside
from graftwork.data.store.staging import staged
from graftwork.data.store.writing import write_text
from graftwork.data.table import Schema, Table
from graftwork.errors import DataError, ModelError, UsageError, nearest
from graftwork.networks.heads.head import Head
from graftwork.networks.heads.two_towers import TwoTowersLayer
from graftwork.networks.manifest import checksums, sealed
from graftwork.networks.network import Network
from graftwork.saving import Saved

FORMAT = 1
FOLDER = "index"
"""The folder of an index, in that of its model."""
ABOUT, EMBEDDINGS, ROWS = "index.json", "embeddings.safetensors", "rows.arrow"
NUMBERS = "numbers"
"""The tensor with the rows' numbers in their source."""
CHUNK = 65_536
"""Rows compared at a time."""
EMBEDDED = 16_384
"""Rows embedded at a time, at most."""


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


def embed(model: Saved, data: Source, side: str, *, on_bad_rows: OnBadRows = "fail") -> np.ndarray:
    """Embeddings (N, width) of one input of each row, of length 1; NaN where a row lacks it.

    data: a table with the input's column, or a list of its values. Raises UsageError for an input that the model lacks.
    """
    table = load_like(data, _schema_of(model, side), with_target=False, on_bad_rows=on_bad_rows).table
    return _embedded(model, table, side)


def build(model: Saved, data: Source | Table, *, on_bad_rows: OnBadRows = "fail", watch: Watch | None = None) -> Index:
    """Embed both inputs of every row of a table, which may be read already. watch: told how many rows are done."""
    sides = _sides(model)
    if isinstance(data, Table):
        table = data
    else:
        table = load_like(data, model.schema, with_target=False, on_bad_rows=on_bad_rows).table
    if not len(table):
        raise DataError(f"{table.source} has no row to index.")
    embeddings = {
        side: _embedded(model, table, side, part_of(watch, at * len(table), len(sides) * len(table)))
        for at, side in enumerate(sides)
    }
    return Index(fingerprint(model), embeddings, table.data, table.rows)


def search(model: Saved, index: Index, query: Any, k: int, by: str | None, against: str | None) -> list[Hit]:
    """The rows that are most like the query, best first.

    query: a value of the input `by`: a text; a path, bytes or picture; a dict of columns for numbers and categories.
    by: found where only one input can hold the query. against: the input of the rows that it is compared with; the
    other one where left out. Raises UsageError for an unknown name, ModelError for an index of other weights.
    """
    if k < 1:
        raise UsageError(f"k is {k}. Expected 1 or more.")
    if index.fingerprint != fingerprint(model):
        raise ModelError("The index was made by a model with other weights. Index the table again.")
    by = _side_of(model, query) if by is None else _known(model, by)
    against = next(side for side in _sides(model) if side != by) if against is None else _known(model, against)
    columns = model.network.sources[by]
    values = query if isinstance(query, Mapping) and set(query) >= set(columns) else {columns[0]: query}
    one = {name: [value] for name, value in values.items()}
    loaded = load_like(one, _schema_of(model, by), with_target=False, on_bad_rows="keep", name="the query")
    if loaded.bad:
        raise UsageError(f"The query can't be used as '{by}': {loaded.bad[0].reason}.")
    return index.nearest(_embedded(model, loaded.table, by)[0], against, k)


def fingerprint(model: Saved) -> str:
    """Changes with anything that changes an embedding."""
    weights = [tensor.detach().float().cpu().numpy() for tensor in model.network.state_dict().values()]
    return digest(repr(model.recipe.text), repr(model.network.sources), str(model.network.autocast), *weights)


def write(index: Index, model_folder: Path) -> Path:
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


def read(model_folder: Path) -> Index:
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


def _embedded(model: Saved, table: Table, side: str, watch: Watch | None = None) -> np.ndarray:
    network = _alone(model.network, side)
    found = [np.zeros((0, _layer(model.network).width), np.float32)]
    size = held_rows(network, EMBEDDED)
    for start in range(0, len(table), size):
        chunk = table.take(np.arange(start, min(start + size, len(table))))
        examples = prepare(chunk, network, {}, model.recipe.text, keep_on_disk=False)
        predictions = predict_examples(network, examples, model.recipe.listed, watch=part_of(watch, start, len(table)))
        values = next(iter(predictions.values()))[:, : found[0].shape[1]]
        values[content_ids(chunk, network.sources[side]) == NOTHING] = np.nan
        found.append(values)
    return np.concatenate(found)


def _alone(network: Network, side: str) -> Network:
    """The encoder and the tower of one input, which share their weights with the network."""
    index = network.columns.index(side)
    target, head = next(network.each_head())
    alone = _layer(network).side(index)
    start = sum(head.parts[:index])
    part = slice(start, start + head.parts[index])
    own = Head(head.parts[index], alone.width + (1 if alone.bias is None else 2))
    own.layers = type(head.layers)(alone)
    own.shift, own.scale = head.shift[part], head.scale[part]
    made = Network({side: network.encoder(side)}, {target: own}, sources={side: network.sources[side]})
    made.autocast = network.autocast
    return made.eval()


def _layer(network: Network) -> TwoTowersLayer:
    _, head = next(network.each_head())
    layer = head.layers[0] if len(head.layers) else None
    if not isinstance(layer, TwoTowersLayer):
        raise UsageError(
            "This model does not align two inputs, so there is nothing to search. Train one: --task retrieval."
        )
    return layer


def _sides(model: Saved) -> tuple[str, ...]:
    _layer(model.network)
    return model.network.columns


def _known(model: Saved, name: str) -> str:
    """The input of this name, or the one that reads the column of this name."""
    sides = {column: side for side in _sides(model) for column in (*model.network.sources[side], side)}
    if name not in sides:
        raise UsageError(f"The model has no input '{name}'. {nearest(name, sides)}")
    return sides[name]


def _schema_of(model: Saved, side: str) -> Schema:
    columns = model.network.sources[_known(model, side)]
    return Schema(tuple(column for column in model.schema.inputs if column.name in columns))


def _side_of(model: Saved, query: Any) -> str:
    """The only input that can hold the query. A text is a file where there is one of that name, with an ending, or
    where it ends like a picture or a sound: a mistyped path should not be searched for as words."""
    reads = {side: model.network.encoder(side).modality for side in _sides(model)}
    fits = set(_modalities(query))
    plain = isinstance(query, str | int | float)
    found = [
        side
        for side, modality in reads.items()
        if modality in fits or (plain and modality == "table" and len(model.network.sources[side]) == 1)
    ]
    if len(found) != 1:
        listed = ", ".join(f"{side} ({modality})" for side, modality in reads.items())
        what = "fits more than one input" if found else f"fits no input, since it is {type(query).__name__}"
        raise UsageError(f"The query {what}: {listed}. Say which one it is of: --by COLUMN (in Python by=...).")
    return found[0]


def _modalities(query: Any) -> Iterator[str]:
    if isinstance(query, Mapping) and not {"bytes", "path"} & set(query):
        yield "table"
    elif isinstance(query, str):
        path = Path(query)
        names_file = shown_kind(query) or (path.suffix and len(query) < 1000 and path.is_file())
        yield from ("image", "audio") if names_file else ("text",)
    elif isinstance(query, os.PathLike | bytes | Mapping):
        yield from ("image", "audio")
    elif is_picture(query):
        yield "image"
