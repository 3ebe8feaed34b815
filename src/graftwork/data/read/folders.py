"""A folder of images or sounds as a table: classes are folders, and so are splits. A .zip of such a folder, too."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import pyarrow as pa

from graftwork.data.media.paths import kind_of as kind_of
from graftwork.data.notes import NOTES
from graftwork.data.read.unread import check_classes_kept, class_of, notes_on, nothing_read
from graftwork.data.splits import SPLITS
from graftwork.data.table import CLASSES
from graftwork.errors import DataError

LABEL, SPLIT = "label", "split"
ROLE = b"graftwork.role"
"""Metadata of a column that has a role unless the user says otherwise."""
EXPECTED = (
    "Expected images or sounds, in a folder a class (photos/cat/1.jpg), those in folders train, valid and test if they "
    "are split; without classes where they are only predicted."
)
_IGNORED = frozenset(["thumbs.db", "desktop.ini", "__macosx"])
_LISTED = 5


class Found(NamedTuple):
    """Paths of images and sounds relative to the folder, in order; the names of files that are neither; and those of
    images and sounds that can't be written down, since they are not UTF-8."""

    paths: list[PurePosixPath]
    others: list[str]
    garbled: list[str]


def read_folder(folder: Path, name: str, others: Sequence[str] = (), notes: Sequence[str] = ()) -> pa.Table:
    """The columns `image` or `audio` (paths relative to the folder), and where there are such folders `label`, `split`.

    photos/<class>/…, photos/<split>/<class>/…, or files alone; splits are train, valid (or val) and test. What lies
    deeper belongs to its class. Hidden files are passed over, other files are named in a note.
    others: files that are not there any more (of a zip), to be named as well. notes: lines to put before.
    Raises DataError for a folder without images and sounds, with both, with splits beside other folders, or with a
    class of which no file can be read.
    """
    found = _walk(folder, others)
    kind = _kind(found, folder, name)
    splits = _has_splits(found.paths, name)
    check_classes_kept(found.paths, found.others, found.garbled, splits, name)
    labels = [class_of(path, splits) for path in found.paths]
    labels = [None if label is None else unicodedata.normalize("NFC", label) for label in labels]
    columns = {kind: [str(path) for path in found.paths]}
    fields = [pa.field(kind, pa.string())]
    if any(labels):
        columns[LABEL] = labels  # type: ignore[assignment]
        fields.append(pa.field(LABEL, pa.string(), metadata=CLASSES))
    if splits:
        columns[SPLIT] = [path.parts[0] for path in found.paths]
        fields.append(pa.field(SPLIT, pa.string(), metadata={ROLE: SPLIT.encode()}))
    lines = [*notes, *notes_on(found.others, found.garbled, splits, name)]
    return pa.table(columns, schema=pa.schema(fields, metadata={NOTES: "\n".join(lines).encode()} if lines else None))


def is_hidden(path: PurePosixPath) -> bool:
    """Whether a file is none of the user's: hidden, or left behind by a system."""
    return any(part.startswith(".") or part.lower() in _IGNORED for part in path.parts)


def _walk(folder: Path, gone: Sequence[str]) -> Found:
    found = Found([], list(gone), [])
    for path in sorted(files_in(folder)):
        try:
            str(path).encode()
        except UnicodeEncodeError:
            (found.garbled if kind_of(path) else found.others).append(os.fsencode(path).decode(errors="replace"))
            continue
        if kind_of(path):
            found.paths.append(path)
        else:
            found.others.append(str(path))
    return found


def files_in(folder: Path) -> Iterator[PurePosixPath]:
    """Every file that is not hidden, links followed, each folder once."""
    seen = set()
    for at, folders, files in os.walk(folder, followlinks=True):
        here = Path(at)
        known = os.stat(here)
        if (known.st_dev, known.st_ino) in seen:
            folders.clear()
            continue
        seen.add((known.st_dev, known.st_ino))
        inside = PurePosixPath(here.relative_to(folder).as_posix())
        folders[:] = sorted(each for each in folders if not is_hidden(PurePosixPath(each)))
        yield from (inside / each for each in files if not is_hidden(PurePosixPath(each)))


def _kind(found: Found, folder: Path, name: str) -> str:
    counts = Counter(kind_of(path) for path in found.paths)
    if not counts:
        told = nothing_read(found.others, found.garbled, name)
        if told:
            raise DataError(told)
        tables = sorted(path.name for path in folder.iterdir() if path.is_file())[:10] if folder.is_dir() else []
        if tables:
            raise DataError(
                f"{name} is a folder, not a file. Name one file in it: {', '.join(tables)}. It has no images or sounds."
            )
        raise DataError(f"{name} is a folder without images or sounds. {EXPECTED}")
    if len(counts) > 1:
        raise DataError(
            f"{name} holds {counts['image']:,} images and {counts['audio']:,} sounds. Expected one of both: move the "
            "others out, or write a table with a column for each."
        )
    return str(next(iter(counts)))


def _has_splits(paths: Sequence[PurePosixPath], name: str) -> bool:
    """Whether the first folders are splits. A class may be named like one, but not beside a folder `train`."""
    first = {path.parts[0] for path in paths if len(path.parts) > 1}
    words = {part for part in first if part.lower() in SPLITS}
    if not words or not any(SPLITS[part.lower()] == "train" for part in words):
        return False
    others = sorted(first - words)
    if others:
        raise DataError(
            f"{name} has the splits {', '.join(sorted(words))} beside {', '.join(others[:_LISTED])}. Expected either "
            "splits with classes in them, or classes only."
        )
    loose = [str(path) for path in paths if len(path.parts) == 1]
    if loose:
        raise DataError(f"{name} has splits, but {loose[0]} is in none. Move it into {' or '.join(sorted(words))}.")
    return True
