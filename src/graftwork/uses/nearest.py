"""Search: a model of two aligned inputs embeds the rows of a table once, and finds them by either input.

The search is exact: a query is compared with every row, some rows at a time, so that memory stays flat. An index
belongs to the weights that made it, and is refused for others.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from graftwork.core.rows.examples import held_rows, prepare
from graftwork.core.scoring import Watch, part_of, predict_examples
from graftwork.data.columns.contents import NOTHING, content_ids
from graftwork.data.load import Source, load_like
from graftwork.data.media.images import is_picture
from graftwork.data.media.paths import shown_kind
from graftwork.data.quality.checks import OnBadRows
from graftwork.data.store.cache import digest
from graftwork.data.table import Schema, Table
from graftwork.errors import DataError, ModelError, UsageError, nearest
from graftwork.networks.heads.layers.towers import TwoTowersLayer
from graftwork.networks.heads.rows import RowHead
from graftwork.networks.network import Network
from graftwork.saving import Saved
from graftwork.uses.index import Hit, Index, read_index, write_index

EMBEDDED = 16_384
"""Rows embedded at a time, at most."""


@dataclass
class Searcher:
    """Finds rows by either of two aligned inputs: what `Model.searcher` hands out.

    folder: where the model is on disk, if it is; its index is kept there. current: the index made or read last.
    Raises UsageError for a model that does not align two inputs.
    """

    model: Saved
    folder: Path | None = None
    current: Index | None = None

    def __post_init__(self) -> None:
        _layer(self.model.network)

    def embed(self, data: Source, column: str, *, on_bad_rows: OnBadRows = "fail") -> np.ndarray:
        """Embeddings (N, width) of one of the inputs, of length 1; NaN where a row lacks it.

        data: a table with the input's column, or a list of its values. Raises UsageError for an unknown input.
        """
        schema = _schema_of(self.model, column)
        table = load_like(data, schema, with_target=False, on_bad_rows=on_bad_rows).table
        return _embedded(self.model, table, _known(self.model, column))

    def index(self, data: Source | Table, *, on_bad_rows: OnBadRows = "fail", watch: Watch | None = None) -> Index:
        """Embed the rows of a table, which may be read already, for `search`; keep them: in the model's folder, or in
        memory where it has none. watch: told how many rows are done."""
        sides = _sides(self.model)
        if isinstance(data, Table):
            table = data
        else:
            table = load_like(data, self.model.schema, with_target=False, on_bad_rows=on_bad_rows).table
        if not len(table):
            raise DataError(f"{table.source} has no row to index.")
        embeddings = {
            side: _embedded(self.model, table, side, part_of(watch, at * len(table), len(sides) * len(table)))
            for at, side in enumerate(sides)
        }
        self.current = Index(self.fingerprint, embeddings, table.data, table.rows)
        if self.folder is not None:
            write_index(self.current, self.folder)
        return self.current

    def search(self, query: Any, k: int = 5, *, by: str | None = None, against: str | None = None) -> list[Hit]:
        """The `k` indexed rows that are most like the query, best first: their numbers, scores (cosines) and columns.

        query: a value of the input `by`: a text; a path, bytes or picture; a dict for numbers and categories, and for
        texts that are read in one sequence.
        by: found where only one input can hold the query. against: the input of the rows that it is compared with;
        the other one where left out.
        Raises UsageError for an unknown name, ModelError where there is no index, or one of other weights.
        """
        model, index = self.model, self._index()
        if k < 1:
            raise UsageError(f"k is {k}. Expected 1 or more.")
        if index.fingerprint != self.fingerprint:
            raise ModelError("The index was made by a model with other weights. Index the table again.")
        by = _side_of(model, query) if by is None else _known(model, by)
        against = next(side for side in _sides(model) if side != by) if against is None else _known(model, against)
        columns = model.network.sources[by]
        if len(columns) > 1 and not isinstance(query, Mapping):
            raise UsageError(
                f"The input '{by}' reads several columns. Give a dict of {' and '.join(columns)} (Python)."
            )
        values = query if isinstance(query, Mapping) and set(query) >= set(columns) else {columns[0]: query}
        one = {name: [value] for name, value in values.items()}
        loaded = load_like(one, _schema_of(model, by), with_target=False, on_bad_rows="keep", name="the query")
        if loaded.bad:
            raise UsageError(f"The query can't be used as '{by}': {loaded.bad[0].reason}.")
        return index.nearest(_embedded(model, loaded.table, by)[0], against, k)

    @cached_property
    def fingerprint(self) -> str:
        """Changes with anything that changes an embedding."""
        network = self.model.network
        weights = [tensor.detach().float().cpu().numpy() for tensor in network.state_dict().values()]
        return digest(repr(self.model.recipe.text), repr(network.sources), str(network.autocast), *weights)

    def _index(self) -> Index:
        """The one made or read last; else that of the folder."""
        if self.current is None:
            if self.folder is None:
                raise UsageError("There is no index to search. Make one first: searcher.index(table).")
            self.current = read_index(self.folder)
        return self.current


def _embedded(model: Saved, table: Table, side: str, watch: Watch | None = None) -> np.ndarray:
    network = _alone(model.network, side)
    found = [np.zeros((0, _layer(model.network).width), np.float32)]
    size = held_rows(network, EMBEDDED)
    for start in range(0, len(table), size):
        chunk = table.take(np.arange(start, min(start + size, len(table))))
        examples = prepare(chunk, network, {}, model.recipe.text, keep_on_disk=False)
        predictions = predict_examples(network, examples, model.recipe.listed, watch=part_of(watch, start, len(table)))
        values = next(iter(predictions.values()))
        values[content_ids(chunk, network.sources[side]) == NOTHING] = np.nan
        found.append(values)
    return np.concatenate(found)


def _alone(network: Network, side: str) -> Network:
    """The encoder and the tower of one input, which share their weights with the network."""
    index = network.columns.index(side)
    target, head = next(network.each_head())
    assert isinstance(head, RowHead)
    layer = _layer(network)
    start = sum(head.parts[:index])
    part = slice(start, start + head.parts[index])
    own = RowHead(head.parts[index], layer.width)
    own.layers = layer.side(index)
    own.shift, own.scale = head.shift[part], head.scale[part]
    made = Network({side: network.encoder(side)}, {target: own}, sources={side: network.sources[side]})
    made.autocast = network.autocast
    return made.eval()


def _layer(network: Network) -> TwoTowersLayer:
    _, head = next(network.each_head())
    layer = head.layers[0] if isinstance(head, RowHead) and len(head.layers) else None
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
    several = {side for side in reads if len(model.network.sources[side]) > 1}
    fits, plain = set(_modalities(query)), isinstance(query, str | int | float)
    found = [
        side
        for side, modality in reads.items()
        if ("table" if side in several else modality) in fits or (plain and modality == "table" and side not in several)
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
