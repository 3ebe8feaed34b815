"""From whatever a user has (a file, a frame, lists) to an Arrow table. Large files are mapped from disk, not held."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, Union

import pyarrow as pa

from graftwork.data.media.paths import kind_of, refusal
from graftwork.data.notes import notes_of
from graftwork.data.read.decoding import EncodedFile
from graftwork.data.read.excel import read_excel, split_sheet
from graftwork.data.read.files import OPEN_ENDINGS, check_file, sniff, unknown_extension
from graftwork.data.read.folders import ROLE, read_folder
from graftwork.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Source", "folder_of", "is_collection", "notes_of", "read", "roles_of"]

Source: TypeAlias = Union[
    str, "os.PathLike[str]", "pd.DataFrame", pa.Table, Mapping[str, Sequence[Any]], Sequence[Any]
]  # fmt: skip
"""A path to csv, tsv, json lines or parquet (each also .gz), to an Excel workbook (`a.xlsx`, `a.xlsx#Sheet`), to an
Arrow or feather file, or to a folder or .zip of images or sounds; a pandas frame; a `datasets.Dataset`; an Arrow table;
a dict of lists; a list of dicts; a list of texts (one column `text`), or of images in memory (one column `image`)."""


def read(source: Source, *, name: str | None = None) -> tuple[pa.Table, str]:
    """The columns of `source` and its name for messages: the path, or "the list", or `name` where given.

    Columns from csv and json are text: "007" stays "007". An empty csv field is missing; "NA" and "None" are text.
    Files beyond 16 MiB are written once to an Arrow file in the cache folder and memory-mapped.

    Raises DataError for data that can't be read, with the file, the line and how to mend it; UsageError for an object
    that is no table.
    """
    if isinstance(source, str | os.PathLike):
        path, sheet = split_sheet(Path(source).expanduser())
        encoding = source.encoding if isinstance(source, EncodedFile) else None
        called = name or str(path)
        if not path.is_dir():
            check_file(path)
        if path.suffix.lower() in (".xlsx", ".xlsm"):
            return read_excel(path, called, sheet), called
        return _read_file(path, called, encoding), called
    from graftwork.data.read.frames import from_memory

    called = name or f"the {_WORDS.get(type(source).__name__, type(source).__name__)}"
    return from_memory(source, called), called


def folder_of(source: Source) -> Path | None:
    """Where relative paths in a table start: the folder of its file; None (here) for a table in memory."""
    if not isinstance(source, str | os.PathLike):
        return None
    path = Path(source).expanduser()
    if path.is_dir() or not _is_zip(path):
        return path if path.is_dir() else path.parent
    from graftwork.data.read.archives import unpacked

    return unpacked(path)


def is_collection(source: Source) -> bool:
    """Whether it is a folder or a .zip of images or sounds, or a single one."""
    if not isinstance(source, str | os.PathLike):
        return False
    path = Path(source).expanduser()
    return path.is_dir() or _is_zip(path) or kind_of(path) is not None


def roles_of(data: pa.Table) -> dict[str, str]:
    """The columns, by role, that have one unless the user says otherwise."""
    marked = {field.name: (field.metadata or {}).get(ROLE) for field in data.schema}
    return {role.decode(): name for name, role in marked.items() if role}


def _is_zip(path: Path) -> bool:
    return path.suffix.lower() == ".zip"


_WORDS = {"DataFrame": "frame", "dict": "dict", "list": "list", "Table": "Arrow table", "Dataset": "dataset"}


def _read_file(path: Path, name: str, encoding: str | None) -> pa.Table:
    if path.is_dir():
        return read_folder(path, name)
    if _is_zip(path):
        from graftwork.data.read.archives import read_zip

        return read_zip(path, name)
    kind = kind_of(path)
    if kind:
        return pa.table({kind: [path.name]})
    extension = Path(path.name.lower().removesuffix(".gz")).suffix
    if extension in OPEN_ENDINGS:
        extension = ".csv" if encoding else sniff(path).extension or extension
    if extension in (".csv", ".tsv"):
        from graftwork.data.read.delimited import read_delimited

        return read_delimited(path, name, "," if extension == ".csv" else "\t", encoding)
    if extension in (".jsonl", ".ndjson", ".json"):
        from graftwork.data.read.jsonl import read_json

        return read_json(path, name, encoding)
    if extension == ".parquet":
        from graftwork.data.read.parquet import read_parquet

        return read_parquet(path, name)
    if extension in (".arrow", ".feather", ".ipc"):
        from graftwork.data.read.arrow_files import read_arrow

        return read_arrow(path, name)
    raise _other(path, extension, name)


def _other(path: Path, extension: str, name: str) -> DataError:
    """The error for what is no table: an archive, an image or a sound in a format that is not read, or unknown."""
    if extension in _ARCHIVES:
        return DataError(f"{name} is an archive. Unpack it, and name the folder or file in it, or pack a .zip.")
    told = refusal(path.name)
    return DataError(f"{name} is no table, and {told}.") if told else unknown_extension(path)


_ARCHIVES = (".tar", ".tgz", ".tbz2", ".txz", ".rar", ".7z", ".bz2", ".xz", ".zst")
