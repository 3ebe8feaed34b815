"""Whatever is written: whole or not at all, and until then under a name that nobody can guess.

Every rename and removal in the project goes through `move` and `remove`, so that a test can stop at each of them.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from graftwork.errors import UsageError

LOCK = ".graft-lock"
_OWN = re.compile(r"\..*\.graft-[0-9a-f]{16}")


def write_text(path: Path, text: str, *, lasting: bool = False) -> None:
    """Put a text file in its place. lasting: it is there after a power cut, too."""
    with replacing(path, lasting=lasting) as temporary, open(temporary, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)


def write_bytes(path: Path, content: bytes) -> None:
    """Put a file in its place."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


@contextmanager
def replacing(path: Path, *, lasting: bool = False) -> Iterator[Path]:
    """An empty file beside `path` to write to, moved to `path` once the block ends well, else removed.

    Its permissions are those that the umask leaves, whatever the block does. lasting: it is there after a power cut.
    """
    check_replaceable(path)
    temporary = temporary_name(path)
    mode = _new_file(temporary)
    try:
        yield temporary
        _open_up(temporary, mode)
        if lasting:
            sync(temporary)
        move(temporary, path)
        if lasting:
            sync(path.parent)
    except BaseException:
        remove(temporary)
        raise


def check_replaceable(path: Path) -> None:
    """Raise UsageError for a device, a pipe or a socket: a file in its place would take it from everybody."""
    with suppress(OSError):
        mode = path.lstat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode)):
            raise UsageError(f"{path} is a device, a pipe or a socket. Name a file or a folder to write.")


def open_up(folder: Path) -> None:
    """Give all files in `folder` the permissions that the umask leaves; safetensors makes its own private."""
    probe = temporary_name(folder / "probe")
    mode = _new_file(probe)
    remove(probe)
    for path in folder.rglob("*"):
        if path.is_file():
            _open_up(path, mode)


def _open_up(path: Path, mode: int) -> None:
    if path.stat().st_mode & 0o777 != mode:
        path.chmod(mode)


def _new_file(path: Path) -> int:
    """Make an empty file where there is none, through no link. Gives its permissions."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    handle = os.open(path, flags, 0o666)
    try:
        return os.fstat(handle).st_mode & 0o777
    finally:
        os.close(handle)


def temporary_name(path: Path) -> Path:
    """A name beside `path` that no one can foresee; `clean` knows it again."""
    return path.with_name(f".{path.name[:200]}.graft-{secrets.token_hex(8)}")


def is_own(name: str) -> bool:
    """Whether it is the name of a temporary file or a lock of this project."""
    return name.endswith(LOCK) or _OWN.fullmatch(name) is not None


def clean(folder: Path) -> None:
    """Remove what killed runs left unfinished in `folder`; for who holds the folder's lock."""
    if folder.is_dir():
        for path in list(folder.iterdir()):
            if _OWN.fullmatch(path.name):
                remove(path)


def clean_beside(path: Path) -> None:
    """Remove what killed runs left beside `path`, to be moved there; for who holds its lock."""
    begun = f".{path.name[:200]}.graft-"
    if path.parent.is_dir():
        for found in list(path.parent.iterdir()):
            if found.name.startswith(begun) and _OWN.fullmatch(found.name):
                remove(found)


def move(source: Path, target: Path) -> None:
    """Rename `source` to `target` in one step; a file that is there is replaced."""
    act(os.replace, source, target)


def remove(path: Path) -> None:
    """Delete a file, a link or a folder, if it is there. A folder first loses its name, so that nobody meets half."""
    with suppress(FileNotFoundError):
        if path.is_dir() and not path.is_symlink():
            doomed = path if _OWN.fullmatch(path.name) else temporary_name(path)
            if doomed != path:
                move(path, doomed)
            shutil.rmtree(doomed, ignore_errors=True)
        else:
            act(os.unlink, path)


def act(call: Callable[..., None], *paths: Path) -> None:
    """Do one rename or removal. Tests put something here that ends the process before or behind it."""
    call(*paths)


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk; where the system can't, go on."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:  # Windows opens no folders
        return
    try:
        with suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(folder: Path) -> None:
    """`sync` for all that a folder holds."""
    for path in folder.rglob("*"):
        sync(path)
    sync(folder)
