"""Entries of the cache: made once, sealed with a checksum of each file, and made anew where that does not hold."""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from graftwork.data.store.cache import is_closed, storing
from graftwork.data.store.writing import move, remove, temporary_name, write_text
from graftwork.errors import DataError

SEAL = ".sealed.json"
"""In an entry: the size and the checksum of each of its files."""
Read = TypeVar("Read")
_known: set[tuple[str, int, int]] = set()
"""Entries that this process found whole or made: path, inode and time of the seal."""
_spared: dict[Path, Path] = {}
"""Where entries are that could not be made in the cache."""


def kept(folder: Path, make: Callable[[Path], None], read: Callable[[Path], Read], *, spare: bool = False) -> Read:
    """What `read` finds in the entry `folder`. Where it is missing or damaged, `make` fills a new folder for it first.

    A damaged entry is said in a warning that names it. Once more if another process prunes it at this very moment.
    spare: where the cache can't be written, the entry is made among the temporary files, and goes with the process.
    Raises DataError where the disk is full, or without `spare` where the cache can't be written.
    """
    for last in (False, True):
        place = _ensure(folder, make, spare)
        try:
            return read(place)
        except FileNotFoundError:
            if last:
                raise
    raise AssertionError("unreachable")


def is_whole(folder: Path) -> bool:
    """Whether the entry is there and each of its files is as it was written. Its content is read once a process."""
    return _fault(folder) == ""


def seal(folder: Path) -> None:
    """Note the size and the checksum of each file in `folder`."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    write_text(folder / SEAL, json.dumps({path.relative_to(folder).as_posix(): _state(path) for path in files}))


def checksum(path: Path) -> str:
    """Of a file's content (BLAKE2b, 32 hex digits)."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def _ensure(folder: Path, make: Callable[[Path], None], spare: bool) -> Path:
    """The folder with the entry, made where it has to be."""
    fault = _fault(folder)
    if not fault:
        return folder
    if folder in _spared:
        return _spared[folder]
    if (folder / SEAL).exists():  # else it is missing, or an older version made it
        warnings.warn(f"The cache entry {folder} is damaged ({fault}); it is made anew.", stacklevel=4)
    temporary = temporary_name(folder)
    try:
        with storing(folder):
            if os.path.lexists(folder):
                remove(folder)
            temporary.mkdir(parents=True)
    except DataError as error:
        if not spare or not is_closed(error):
            raise
        return _made_apart(folder, make)
    try:
        make(temporary)
        with storing(folder):
            seal(temporary)
            _publish(temporary, folder)
    finally:
        remove(temporary)
    _known.add(_identity(folder))
    return folder


def _made_apart(folder: Path, make: Callable[[Path], None]) -> Path:
    place = Path(tempfile.mkdtemp(prefix="graftwork-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    make(place)
    _spared[folder] = place
    return place


def _publish(temporary: Path, folder: Path) -> None:
    try:
        move(temporary, folder)
    except OSError:
        if not is_whole(folder):  # else another process was quicker
            raise


def _fault(folder: Path) -> str:
    """What is wrong with an entry, or nothing."""
    try:
        identity = _identity(folder)
    except FileNotFoundError:
        return "it has no checksums"
    except OSError as error:
        return str(error.strerror)
    if identity in _known:
        return ""
    try:
        told = json.loads((folder / SEAL).read_text(encoding="utf-8"))
        names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {SEAL}
        if not isinstance(told, dict) or told.keys() != names:
            return "files are missing or new"
        for name, state in told.items():
            if _state(folder / name, size_first=state) != state:
                return f"{name} has changed"
    except (OSError, ValueError) as error:
        return str(error)
    _known.add(identity)
    return ""


def _state(path: Path, size_first: object = None) -> list[object]:
    """Size and checksum; the checksum is spared where the size says enough already."""
    size = path.stat().st_size
    if isinstance(size_first, list) and size_first[:1] != [size]:
        return [size, ""]
    return [size, checksum(path)]


def _identity(folder: Path) -> tuple[str, int, int]:
    found = (folder / SEAL).stat()
    return str(folder), found.st_ino, found.st_mtime_ns
