"""Names of files out of a manifest: plain ones only, and no link that leads out of the folder they are in."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from graftwork.errors import ModelError
from graftwork.shown import shortened_text

_LONGEST = 255


def plain_name(name: object, where: str | os.PathLike[str]) -> str:
    """`name`, if it can only be a file in the folder that names it. where: the manifest, for the message.

    Raises ModelError for anything that could lead elsewhere: a folder in it, `..`, a drive, a control character.

    >>> plain_name("tokenizer.json", "model.json")
    'tokenizer.json'
    """
    if (
        not isinstance(name, str)
        or name in ("", ".", "..")
        or len(name.encode(errors="surrogatepass")) > _LONGEST
        or any(
            mark in '/\\:"<>|?*' or ord(mark) < 32 or ord(mark) == 127 or 0xD800 <= ord(mark) < 0xE000 for mark in name
        )
    ):
        raise ModelError(
            f"{where} names a file {shortened_text(repr(name), 100)}, which is no plain file name. "
            "Expected a file in the same folder. Don't use this model unless you trust who made it; copy it again."
        )
    return name


def inside(folder: Path, *names: str) -> Path:
    """The path `folder/names…`. Raises ModelError where a link leads out of the folder, so that nothing there is read
    or written.

    The hub's cache keeps the files of a snapshot as links to its blobs: those are inside.
    """
    path = folder.joinpath(*names)
    found, root = Path(os.path.realpath(path)), Path(os.path.realpath(folder))
    roots = [root, root.parent.parent / "blobs"] if root.parent.name == "snapshots" else [root]
    if not any(found.is_relative_to(one) for one in roots):
        raise ModelError(
            f"{path} is a link that leads out of the folder, to {found}. Expected a file. Put a copy of the file in "
            "its place, if you trust who made the folder."
        )
    with suppress(OSError):
        mode = path.stat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise ModelError(f"{path} is a device, a pipe or a socket. Expected a file. Copy the folder again.")
    return path


def check_links(folder: Path) -> None:
    """Raise ModelError where any file or folder in `folder`, however deep, is a link that leads out of it, or a device
    or a pipe, at which reading would wait for ever."""
    for place, folders, files in os.walk(folder):
        for name in sorted((*folders, *files)):
            path = Path(place, name)
            if path.is_symlink() or name in files:
                inside(folder, *path.relative_to(folder).parts)
