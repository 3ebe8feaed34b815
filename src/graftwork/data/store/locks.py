"""One writer at a time: what a command writes to is claimed while it runs, and a second one is told so at once.

The system's own file locks, which end with the process that holds them, however it ends.
"""

from __future__ import annotations

import errno
import os
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from graftwork.data.store.cache import storing
from graftwork.data.store.staging import STAGED, real, settle
from graftwork.data.store.writing import LOCK, check_replaceable
from graftwork.errors import UsageError

_BUSY = {errno.EACCES, errno.EAGAIN, errno.EDEADLK}
_CLOSED = {errno.EACCES, errno.EPERM, errno.EROFS}
_mine: dict[tuple[int, Path], int] = {}
"""How often a thread claimed a path: what a call claims, calls inside it may claim too."""


@contextmanager
def claimed(path: str | os.PathLike[str] | None) -> Iterator[None]:
    """Within, no other process or thread of this project writes to `path`, a file or a folder. None claims nothing.

    Raises UsageError at once where another one does, DataError where nothing can be written there.
    """
    if path is None:
        yield
        return
    target = real(Path(path))
    check_replaceable(target)
    key = (threading.get_ident(), target)
    if key in _mine:
        yield
        return
    with storing(target.parent):
        made = _make(target.parent)
        file, handle = _locked(target)
    _mine[key] = handle
    try:
        yield
    finally:
        del _mine[key]
        _release(file, handle)
        for folder in made:
            with suppress(OSError):  # it holds something by now
                folder.rmdir()


def settled(folder: Path, last: str, seconds: float = 10.0) -> None:
    """`settle`, for readers: what a stopped writer left is moved into place, and one at work is waited for.

    Raises UsageError where that takes longer than `seconds`, DataError where nothing can be written there.
    """
    until = time.monotonic() + seconds
    while (folder / STAGED).is_dir():
        try:
            with claimed(folder):
                settle(folder, last)
                return
        except UsageError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


def _make(folder: Path) -> list[Path]:
    """Make a folder and what is above it; the new ones, the innermost first."""
    new = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return new


def _locked(target: Path) -> tuple[Path, int]:
    file = target.with_name(f".{target.name[:200]}{LOCK}")
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    while True:
        try:
            handle = os.open(file, flags, 0o666)
        except OSError as error:
            within = target / LOCK
            if error.errno not in _CLOSED or not target.is_dir() or file == within:
                raise
            file = within  # a folder that may be written, in one that may not
            continue
        if not _lock(handle):
            holder = os.pread(handle, 32, 0).decode(errors="replace").strip() if hasattr(os, "pread") else ""
            os.close(handle)
            who = f"process {holder}" if holder.isdecimal() else "another process"
            raise UsageError(f"{target} is being written by {who}. Wait until it is done, or choose another --out.")
        if _is_same(file, handle):
            with suppress(OSError):  # a full disk is met later, with a message that fits
                os.ftruncate(handle, 0)
                os.write(handle, str(os.getpid()).encode())
            return file, handle
        os.close(handle)  # its last holder removed it meanwhile


def _is_same(file: Path, handle: int) -> bool:
    try:
        return os.path.samestat(os.stat(file), os.fstat(handle))
    except FileNotFoundError:
        return False


def _release(file: Path, handle: int) -> None:
    if os.name != "nt":  # removed while it is held; who opened it before sees that and makes a new one
        with suppress(OSError):
            file.unlink()
    os.close(handle)
    if os.name == "nt":
        with suppress(OSError):
            file.unlink()


def _lock(handle: int) -> bool:
    """Whether the lock could be had. Where the file system has no locks, that is said, and it counts as had."""
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _BUSY:
            return False
        warnings.warn("This file system has no locks: don't write to one --out twice at a time.", stacklevel=4)
    return True
