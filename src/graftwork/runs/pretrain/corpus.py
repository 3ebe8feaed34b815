"""The corpus of a pretraining: the one column of a table that is read; a target in it is not looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from graftwork.data.load import load
from graftwork.data.read.decoding import with_encoding
from graftwork.data.read.source import Source
from graftwork.data.table import Kind, Modality, Table
from graftwork.errors import UsageError

_KINDS: dict[Modality, Kind] = {"text": "text", "image": "image", "audio": "audio"}
TEXTS = "text"
"""The column that texts of several columns stand in, one under the other."""


@dataclass(frozen=True)
class Corpus:
    """source: what is read, of which only `column` counts. note: what was chosen; empty where nothing was."""

    source: Source
    column: str
    kind: Kind
    note: str = ""


def look(source: Source, inputs: Sequence[str] | None, encoding: str | None) -> Table:
    """The table of a corpus, without any target."""
    read = with_encoding(source, encoding)
    assert read is not None
    return load(read, target=(), inputs=list(inputs or ()) or None, on_bad_rows="skip").table


def kinds_of(table: Table) -> list[Modality]:
    """What the corpus holds, each kind once."""
    return list(dict.fromkeys(one.modality for one in table.schema.modalities))


def corpus_of(source: Source, table: Table, reads: Modality) -> Corpus:
    """The column that is read. Several columns of texts are put one under the other.

    Raises UsageError where there are several columns of pictures or sounds.
    """
    columns = [column.name for column in table.schema.inputs if column.kind == _KINDS[reads]]
    if len(columns) == 1:
        return Corpus(source, columns[0], _KINDS[reads])
    if reads != "text":
        raise UsageError(
            f"{table.source} has {len(columns)} columns of this kind ({', '.join(columns)}). Name the one to read: "
            "--inputs COLUMN (in Python inputs=[...])."
        )
    texts = [text for name in columns for text in table.values(name) if text is not None and str(text).strip()]
    note = (
        f"corpus: the texts of {', '.join(columns)}, one under the other; name some with --inputs to leave others out"
    )
    return Corpus(pa.table({TEXTS: pa.array(texts, pa.string())}), TEXTS, "text", note)
