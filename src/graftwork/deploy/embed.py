"""Embed a table with a base, or with the encoders of a model: in memory, or into a file chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from graftwork.core.scoring import part_of
from graftwork.data.columns.text import TextSettings
from graftwork.data.load import Source, load, load_like
from graftwork.data.store.cache import storing
from graftwork.data.store.locks import claimed
from graftwork.data.store.writing import clean_beside, replacing
from graftwork.data.table import Input, Schema, Table
from graftwork.deploy.predict import check_out
from graftwork.errors import DataError, UsageError, nearest
from graftwork.networks.bases.registry import Named
from graftwork.networks.manifest import is_model, read_manifest, schema_of
from graftwork.networks.network import Network
from graftwork.progress import SILENT, Screen
from graftwork.recipe import Recipe
from graftwork.runs.job.base_choice import fitting_bases
from graftwork.runs.job.job import Job
from graftwork.runs.single.run import build_network
from graftwork.uses.embedding import alone, embedded

KINDS = ("parquet", "npy")
"""What can be written, by its ending."""
AUTO = "auto"


@dataclass(frozen=True)
class Embedder:
    """What embeds a table: by input, its encoder. table: read. unread: rows (positions) that hold nothing to read."""

    networks: Mapping[str, Network]
    table: Table
    text: TextSettings
    unread: np.ndarray

    @property
    def widths(self) -> dict[str, int]:
        return {name: network.width for name, network in self.networks.items()}

    def each(self, name: str, on: Screen) -> Iterator[np.ndarray]:
        """The embeddings of one input, some rows at a time."""
        start, at = 0, list(self.networks).index(name)
        total, watch = len(self.table), on.counting("embedding", "values")
        part = part_of(watch, at * total, total * len(self.networks))
        for values in embedded(self.networks[name], self.table, self.text, part):
            gone = self.unread[(self.unread >= start) & (self.unread < start + len(values))] - start
            values[gone] = np.nan
            start += len(values)
            yield values


def embed(
    data: Source, *, base: Named = AUTO, inputs: Sequence[str] | None = None, encoding: str | None = None
) -> np.ndarray | dict[str, np.ndarray]:
    """Embeddings (N, W) of the rows of a table in their order, float32; of several inputs a dict of them by input.

    base: as in `fit`, a base or one by input; or the folder of a model that `fit` wrote, for its tuned encoders.
    inputs: those to embed; None for all texts, images and sounds. A row that has nothing to read is NaN.

    Raises UsageError for a base without pretrained weights, and for an unknown input; DataError for a table that has
    none to embed.
    """
    from graftwork.data.read.decoding import with_encoding

    made = embedder(with_encoding(data, encoding), base, inputs)
    found = {
        name: np.concatenate([np.zeros((0, width), np.float32), *made.each(name, SILENT)])
        for name, width in made.widths.items()
    }
    return next(iter(found.values())) if len(found) == 1 else found


def embed_file(
    source: Path, out: Path, *, base: Named = AUTO, inputs: Sequence[str] | None = None, on: Screen = SILENT
) -> tuple[dict[str, int], int, int]:
    """Write `out`: .parquet has the table's columns and `embedding` (of several inputs `embedding_INPUT`), lists of
    numbers; .npy the embeddings alone, (N, W), those of several inputs side by side.

    Gives the widths by input, the rows, and how many of them hold nothing to read. Raises UsageError for another
    ending and for an `out` that is the table itself; `out` appears whole or not at all.
    """
    kind = check_out(out, source, kinds=KINDS)
    with claimed(out):
        on.doing(f"reading {source}")
        made = embedder(source, base, inputs, on)
        clean_beside(out)
        with storing(out.parent), replacing(out) as temporary:
            (_write_parquet if kind == "parquet" else _write_npy)(made, temporary, on)
    return made.widths, len(made.table), len(made.unread)


def embedder(source: Source, base: Named, inputs: Sequence[str] | None, on: Screen = SILENT) -> Embedder:
    """Read the table, and build what embeds it."""
    folder = Path(base).expanduser() if isinstance(base, str) else None
    if folder is not None and is_model(folder):
        return _of_model(source, folder, inputs, on)
    schema = load(source, target=(), on_bad_rows="skip").table.schema
    table, unread = _read(source, schema, on)
    recipe = Recipe(base=base)
    bases = fitting_bases(table, recipe)
    for note in bases.notes:
        on.note(note)
    chosen_bases = replace(recipe, base=bases.named).bases(schema)
    media = [one for one in schema.modalities if one.modality != "table"]
    names = _named(inputs, media)
    scratch = {name: chosen_bases[name].spec for name in names if not chosen_bases[name].pretrained}
    kept = [name for name in names if name not in scratch]
    if not kept or (inputs and scratch):
        why = ", ".join(f"{name}: {spec}" for name, spec in scratch.items()) or "there are no texts, images or sounds"
        raise UsageError(
            f"No pretrained base reads these rows ({why}), and one from scratch says nothing of them. Name one: "
            "--base; graft bases lists what can be had."
        )
    on.doing("loading the base")
    job = Job(table, None, None, {}, {}, ())
    network = build_network(job, replace(recipe, base=bases.named, inputs=kept))
    return Embedder({name: alone(network, name) for name in kept}, table, recipe.text, unread)


def _of_model(source: Source, folder: Path, inputs: Sequence[str] | None, on: Screen) -> Embedder:
    from graftwork.model import load as load_model

    table, unread = _read(source, schema_of(read_manifest(folder)), on)
    on.doing("loading the model")
    model = load_model(folder).on()
    names = _named(inputs, [Input(name, "text", ()) for name in model.network.columns])
    return Embedder({name: alone(model.network, name) for name in names}, table, model.recipe.text, unread)


def _read(source: Source, schema: Schema, on: Screen) -> tuple[Table, np.ndarray]:
    loaded = load_like(source, schema.without("target"), with_target=False, on_bad_rows="keep")
    for note in loaded.notes:
        on.note(note)
    if not len(loaded.table):
        raise DataError(f"{loaded.table.source} has no row to embed.")
    bad = {one.row for one in loaded.bad}
    return loaded.table, np.flatnonzero([row in bad for row in loaded.table.rows.tolist()])


def _named(inputs: Sequence[str] | None, there: Sequence[Input]) -> list[str]:
    """The inputs that are wanted, in the table's order."""
    known = [one.name for one in there]
    for name in inputs or ():
        if name not in known:
            raise UsageError(f"There is no input '{name}' to embed. {nearest(name, known)}")
    return [name for name in known if not inputs or name in inputs]


def _write_npy(made: Embedder, out: Path, on: Screen) -> None:
    shape = (len(made.table), sum(made.widths.values()))
    values = np.lib.format.open_memmap(out, mode="w+", dtype=np.float32, shape=shape)
    left = 0
    for name, width in made.widths.items():
        start = 0
        for part in made.each(name, on):
            values[start : start + len(part), left : left + width] = part
            start += len(part)
        left += width
    values.flush()


def _write_parquet(made: Embedder, out: Path, on: Screen) -> None:
    names = embedding_columns(list(made.widths), made.table.data.column_names)
    fields = [pa.field(names[name], pa.list_(pa.float32(), width)) for name, width in made.widths.items()]
    schema = made.table.data.schema
    for field in fields:
        schema = schema.append(field)
    columns: list[list[pa.Array]] = [[_lists(part) for part in made.each(name, on)] for name in made.widths]
    table = made.table.data
    for field, parts in zip(fields, columns, strict=True):
        table = table.append_column(field, pa.chunked_array(parts, field.type))
    pq.write_table(table, out)


def _lists(values: np.ndarray) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), values.shape[1])


def embedding_columns(inputs: Sequence[str], taken: Sequence[str]) -> dict[str, str]:
    """What the columns of the embeddings are called, by input; with a dash behind where the table has such a column.

    >>> embedding_columns(["text"], ["text", "embedding"]), embedding_columns(["a", "b"], [])
    ({'text': 'embedding_'}, {'a': 'embedding_a', 'b': 'embedding_b'})
    """
    found = {}
    for name in inputs:
        plain = "embedding" if len(inputs) == 1 else f"embedding_{name}"
        while plain in taken:
            plain += "_"
        found[name] = plain
    return found
