"""A folder as plain bytes by name, to go from one machine to another: what lies in it, and nothing that leads out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from graftwork.data.store.cache import storing
from graftwork.data.store.names import plain_name
from graftwork.data.store.writing import is_own, move, remove, temporary_name

Packed = Mapping[str, bytes]
"""The content of files, by their path below the folder ("run/checkpoint.safetensors")."""


def pack(folder: Path) -> dict[str, bytes]:
    """All plain files below a folder, without what is being written; nothing where there is no folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink() and not any(map(is_own, path.relative_to(folder).parts))
    }


def unpack(packed: Packed, folder: Path) -> None:
    """The folder with these files and no others; it appears whole, in place of the one that is there.

    Raises ModelError for a name that leads out of the folder, before anything is written; DataError for a full disk."""
    paths = {name: [plain_name(part, "a packed folder") for part in PurePosixPath(name).parts] for name in packed}
    temporary = temporary_name(folder)
    with storing(folder):
        try:
            temporary.mkdir(parents=True)
            for name, content in packed.items():
                path = temporary.joinpath(*paths[name])
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            remove(folder)
            move(temporary, folder)
        finally:
            remove(temporary)
