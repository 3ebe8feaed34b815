"""Files that go from one machine to another through Ray's store of objects, a piece at a time, so that none has to be
in memory as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from graftwork.data.store.cache import storing
from graftwork.data.store.names import inside, plain_name
from graftwork.data.store.writing import is_own, replacing

PIECE = 32 << 20
"""Bytes of a piece."""
Carried = Mapping[str, Sequence[Any]]
"""Where the pieces of each file are, by its path below a folder ("run/checkpoint.safetensors")."""


def carry(folder: Path, names: Iterable[str], put: Callable[[Any], Any]) -> dict[str, list[Any]]:
    """The files of these names below a folder. put: what stores a piece, `ray.put`."""
    found = {}
    for name in names:
        with (folder / name).open("rb") as file:
            pieces = []
            while len(piece := np.fromfile(file, np.uint8, PIECE)):
                pieces.append(put(piece))
            found[name] = pieces
    return found


def bring(carried: Carried, folder: Path, get: Callable[[Any], Any], *, lasting: bool = False) -> None:
    """Write the files below a folder, each whole or not at all. get: what finds a piece, `ray.get`. lasting: they are
    there after a power cut.

    Raises ModelError for a name that leads out of the folder, before anything is written; DataError for a full disk."""
    paths = {}
    for name in carried:
        parts = [plain_name(part, "what another machine sent") for part in PurePosixPath(name).parts or ("",)]
        paths[name] = inside(folder, *parts)
    with storing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, pieces in carried.items():
            paths[name].parent.mkdir(parents=True, exist_ok=True)
            with replacing(paths[name], lasting=lasting) as temporary, temporary.open("wb") as file:
                for piece in pieces:
                    file.write(get(piece))


def files_below(folder: Path) -> list[str]:
    """The names of all plain files below a folder, without what is being written."""
    found = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]
    names = [path.relative_to(folder) for path in found]
    return [name.as_posix() for name in names if not any(map(is_own, name.parts))]
