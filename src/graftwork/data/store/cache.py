"""The cache folder: where it is, how its entries are keyed, how it is kept within a limit, and what a full disk says.

An entry is a folder `<cache>/<section>/<key>`; it appears whole or not at all and is sealed with checksums (`entries`),
and its modification time says when it was last used. Deleting any of it, at any time, only costs time.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graftwork.data.store.writing import is_own, remove
from graftwork.errors import DataError, UsageError

DEFAULT_LIMIT_GB = 5.0
SPOOL = "spool"
STALE_SECONDS = 24 * 3600
"""A half-written entry older than this was left by a process that died."""

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_CLOSED = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.EISDIR}


def cache_dir() -> Path:
    """`GRAFTWORK_CACHE`, or `graftwork` in the platform's folder for caches (`~/.cache` on Linux). Not created."""
    named = os.environ.get("GRAFTWORK_CACHE")
    if named:
        return Path(named).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "graftwork"
    variable = "LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME"
    root = os.environ.get(variable)
    return (Path(root) if root else Path.home() / ".cache") / "graftwork"


def entry(section: str, key: str) -> Path:
    """The folder of one entry; if it exists, it now counts as just used."""
    folder = cache_dir() / section / key
    if folder.is_dir():
        try:
            os.utime(folder)
        except OSError:  # a cache that can only be read still serves
            return folder
    return folder


def limit_bytes() -> int:
    """The size that `prune` keeps the cache under: `GRAFTWORK_CACHE_LIMIT_GB`, 5 by default."""
    text = os.environ.get("GRAFTWORK_CACHE_LIMIT_GB", "").strip()
    try:
        gigabytes = float(text) if text else DEFAULT_LIMIT_GB
    except ValueError:
        gigabytes = -1.0
    if not 0.0 <= gigabytes < float("inf"):
        raise UsageError(f"GRAFTWORK_CACHE_LIMIT_GB is {text!r}. Expected a number of gigabytes, such as 5.")
    return int(gigabytes * 1e9)


def prune(limit: int | None = None) -> int:
    """Delete the least recently used entries until the cache holds at most `limit` bytes. Gives the bytes freed."""
    allowed = limit_bytes() if limit is None else limit
    entries = []
    for folder in each_entry():
        try:
            used, size = folder.stat().st_mtime, size_of(folder)
        except OSError:  # another process deleted it meanwhile
            continue
        if is_unfinished(folder):
            if time.time() - used > STALE_SECONDS:
                _delete(folder)
            continue
        entries.append((used, size, folder))
    freed, held = 0, sum(size for _, size, _ in entries)
    for _, size, folder in sorted(entries, key=lambda item: item[0]):
        if held - freed <= allowed:
            break
        _delete(folder)
        freed += size
    return freed


def digest(*parts: str | bytes | np.ndarray) -> str:
    """A key of 32 hex digits (BLAKE2b) for these parts; each part counts with its length, so borders matter.

    >>> digest("ab", "c") == digest("a", "bc")
    False
    """
    hasher = hashlib.blake2b(digest_size=16)
    for part in parts:
        if isinstance(part, np.ndarray):
            _feed(hasher, f"{part.dtype.str}{part.shape}".encode())
            _feed(hasher, np.ascontiguousarray(part).reshape(-1).view(np.uint8).data)
        else:
            _feed(hasher, part.encode() if isinstance(part, str) else part)
    return hasher.hexdigest()


def column_digest(column: pa.ChunkedArray) -> str:
    """A key for a column's values, the same however they are cut into chunks. Missing differs from empty."""
    lengths, content = hashlib.blake2b(digest_size=16), hashlib.blake2b(digest_size=16)
    for chunk in pa.chunked_array(column).chunks:
        for start in range(0, len(chunk), 65_536):
            part = chunk.slice(start, 65_536)
            if not (pa.types.is_large_string(part.type) or pa.types.is_large_binary(part.type)):
                part = part.cast(pa.large_binary() if pa.types.is_binary(part.type) else pa.large_string())
            sizes = pc.fill_null(pc.binary_length(part), -1).to_numpy(zero_copy_only=False).astype("<i8")
            lengths.update(sizes.tobytes())
            content.update(_bytes_of(part))
    return digest(lengths.digest(), content.digest())


def _bytes_of(part: pa.Array) -> memoryview | bytes:
    """The bytes of a large string or binary array, one value behind the other."""
    if part.null_count:  # what stands behind a null is undefined
        part = pc.drop_null(part)
    _, offsets, values = part.buffers()
    if values is None or not len(part):
        return b""
    bounds = np.frombuffer(offsets, np.int64)[part.offset : part.offset + len(part) + 1]
    return memoryview(values)[int(bounds[0]) : int(bounds[-1])]


@contextmanager
def storing(folder: Path) -> Iterator[None]:
    """Turn a full disk, or a folder that can't be written, into a DataError that names the folder and the way out.

    Serves for any folder; for one inside the cache, the way out is `GRAFTWORK_CACHE`.
    """
    try:
        yield
    except OSError as error:
        folder = folder.parent if is_own(folder.name) else folder  # a temporary name tells nobody anything
        free = free_bytes(folder)
        cached = cache_dir() in (folder, *folder.parents)
        mend = f"Free some space, or {'set GRAFTWORK_CACHE to' if cached else 'choose'} a folder on another disk."
        # numpy reports a short write without an errno
        full = error.errno in _FULL or (error.errno is None and free is not None and free < 16 << 20)
        if full:
            space = "" if free is None else f" ({free / 1e6:,.0f} MB free)"
            raise DataError(f"No space left to write {folder}{space}. {mend}") from error
        if error.errno in _CLOSED:
            mend = "Set GRAFTWORK_CACHE to a folder of yours." if cached else "Choose a folder of yours."
            raise DataError(f"{folder} can't be written: {error.strerror or error}. {mend}") from error
        raise


def full_disk(error: BaseException) -> str:
    """What to tell a user whose disk is full, for an error that no one turned into one of ours; else nothing."""
    mend = f"Set GRAFTWORK_CACHE (now {cache_dir()}) and TMPDIR to folders on another disk, or free some space."
    if isinstance(error, FileNotFoundError) and "temporary directory" in str(error):  # tempfile tries to write there
        return f"There is no folder for temporary files that can be written, or their disk is full. {mend}"
    if not isinstance(error, OSError) or error.errno not in _FULL:
        return ""
    where = f" to write {error.filename}" if error.filename else ""
    return f"No space left{where}. {mend}"


def is_closed(error: DataError) -> bool:
    """Whether `storing` raised it for a folder that can't be written, and not for a full disk."""
    return isinstance(error.__cause__, OSError) and error.__cause__.errno in _CLOSED


def of_disk(error: BaseException) -> bool:
    """Whether the disk is full, or a folder can't be written: nothing else that is tried would fare better."""
    if isinstance(error, DataError):
        cause = error.__cause__
        return isinstance(cause, OSError) and cause.errno in {*_FULL, *_CLOSED, None}
    return isinstance(error, OSError) and error.errno in _FULL


def free_bytes(folder: Path) -> int | None:
    """Free space where `folder` is or would be; None if that can't be known."""
    for place in (folder, *folder.parents):
        try:
            return shutil.disk_usage(place).free
        except OSError:
            continue
    return None


def _feed(hasher: hashlib.blake2b, part: bytes | memoryview) -> None:
    hasher.update(len(part).to_bytes(8, "little"))
    hasher.update(part)


def is_unfinished(path: Path) -> bool:
    """Whether it is no entry, or none yet: it is being written, is used by the process that made it alone (the spool),
    or was left by one that died."""
    return ".partial-" in path.name or is_own(path.name) or path.parent.name == SPOOL


def each_entry() -> Iterator[Path]:
    """All that lies in the sections of the cache, unfinished ones too."""
    root = cache_dir()
    for section in sorted(root.iterdir()) if root.is_dir() else ():
        if section.is_dir() and not section.is_symlink():
            yield from (path for path in sorted(section.iterdir()) if not path.is_symlink())


def size_of(path: Path) -> int:
    """Bytes of an entry."""
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def _delete(path: Path) -> None:
    """Rename first, so that nobody meets half an entry."""
    with suppress(OSError):
        remove(path)
