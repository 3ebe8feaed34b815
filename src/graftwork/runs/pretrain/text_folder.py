"""A folder of text files as a corpus: a row a paragraph."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from graftwork.data.notes import noted
from graftwork.data.read.decoding import open_text
from graftwork.data.read.folders import files_in, kind_of
from graftwork.errors import DataError
from graftwork.shown import counted

ENDINGS = (".txt", ".text", ".md")
COLUMN = "text"
_BETWEEN = re.compile(r"(?:\r?\n[^\S\n]*){2,}")
_LISTED = 3


def texts_of_folder(source: Any, encoding: str | None) -> Any:
    """The paragraphs of all text files in a folder and below, in order of their names; anything else, and a folder with
    pictures or sounds in it, as it came.

    A paragraph ends at an empty line. encoding: of files that are not UTF-8. Raises DataError where the files are empty
    or can't be decoded.
    """
    if not isinstance(source, str | os.PathLike) or not Path(source).is_dir():
        return source
    folder = Path(source)
    paths = sorted(files_in(folder))
    texts = [path for path in paths if path.suffix.lower() in ENDINGS]
    if not texts or any(kind_of(path) for path in paths):
        return source
    found = [paragraph for path in texts for paragraph in _paragraphs(folder / path, encoding)]
    if not found:
        raise DataError(f"{folder}: {counted(len(texts), 'text file')}, and all of them are empty.")
    note = f"{folder}: {counted(len(found), 'paragraph')} of {counted(len(texts), 'text file')}"
    others = [str(path) for path in paths if path not in texts]
    if others:
        more = f", and {len(others) - _LISTED:,} more" if len(others) > _LISTED else ""
        note += f"; not read: {', '.join(others[:_LISTED])}{more}"
    return noted(pa.table({COLUMN: pa.array(found, pa.string())}), [note])


def _paragraphs(path: Path, encoding: str | None) -> Iterator[str]:
    with open_text(path, encoding) as file:
        for paragraph in _BETWEEN.split(file.read()):
            words = " ".join(paragraph.split())
            if words:
                yield words
