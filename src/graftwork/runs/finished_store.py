"""Where finished runs lie, how much room they take, and how they are deleted; light enough for `graft cache`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from graftwork.bases.home import home
from graftwork.data.store.cache import size_of
from graftwork.data.store.writing import is_own, remove


def folder() -> Path:
    """Where finished runs lie. Not created."""
    return home() / "runs"


@dataclass(frozen=True)
class Store:
    """entries: finished runs. size: bytes. used: when one was last used, seconds since 1970; 0 where there is none."""

    entries: int
    size: int
    used: float


def store() -> Store:
    """What lies there."""
    each = list(_entries())
    return Store(len(each), sum(size for _, size, _ in each), max((used for used, _, _ in each), default=0.0))


def prune(limit: int = 0) -> int:
    """Delete the runs that were not used for longest, until at most `limit` bytes are left. Gives the bytes freed."""
    each = sorted(_entries(), key=lambda one: one[0])
    held, freed = sum(size for _, size, _ in each), 0
    for _, size, place in each:
        if held - freed <= limit:
            break
        with suppress(OSError):
            remove(place)
            freed += size
    return freed


def _entries() -> Iterator[tuple[float, int, Path]]:
    """When each was last used, its bytes, and where it is."""
    root = folder()
    for place in sorted(root.iterdir()) if root.is_dir() else ():
        if place.is_symlink() or not place.is_dir() or is_own(place.name):
            continue
        with suppress(OSError):  # another process deleted it meanwhile
            yield place.stat().st_mtime, size_of(place), place
