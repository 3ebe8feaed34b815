"""Several files that belong together appear in a folder at once: written apart, then moved.

The moment that counts is one rename, of the finished set. What remains of the moves is done by whoever opens the folder
next (`settle`), so that a stop in between loses neither the old files nor the new ones. All else in the folder stays.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from graftwork.data.store.writing import clean, clean_beside, move, open_up, remove, sync, sync_tree, temporary_name

STAGED = ".graft-new"
"""In a folder: files that are whole and not yet in their places."""


@contextmanager
def staged(folder: Path, last: str, obsolete: Sequence[str] = ()) -> Iterator[Path]:
    """A new folder to fill, whose files come into `folder` under the same names once the block ends well.

    last: the file that is moved last; readers look for it first. obsolete: names in `folder` that go before the new
    ones come. For who holds the folder's lock.
    """
    folder = real(folder)
    clean_beside(folder)
    there = folder.is_dir()
    if there:
        clean(folder)
        remove(folder / STAGED)
    temporary = temporary_name(folder / STAGED if there else folder)
    temporary.parent.mkdir(parents=True, exist_ok=True)
    temporary.mkdir()
    try:
        yield temporary
        open_up(temporary)
        sync_tree(temporary)
        move(temporary, folder / STAGED if there else folder)
    except BaseException:
        remove(temporary)
        raise
    sync(folder if there else folder.parent)
    if there:
        settle(folder, last, obsolete)


def settle(folder: Path, last: str, obsolete: Sequence[str] = ()) -> None:
    """Move what is staged into its places; done again, it goes on where it was stopped."""
    new = folder / STAGED
    if not new.is_dir() or new.is_symlink():
        return
    for name in obsolete:
        remove(folder / name)
    for path in sorted(new.iterdir(), key=lambda each: (each.name == last, each.name)):
        target = folder / path.name
        if target.is_dir() or target.is_symlink():
            remove(target)
        move(path, target)
    remove(new)
    sync(folder)


def real(folder: Path) -> Path:
    """Where a folder is, behind links and dots, so that it can be written beside."""
    return Path(os.path.realpath(folder))
