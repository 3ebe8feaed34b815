"""What code of a run is none of graftwork's: techniques, tasks and bases of other packages, scripts and notebooks."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterable
from pathlib import Path

from graftwork.bases.hashes import sha256_of_files

PROCESS = uuid.uuid4().hex
"""Of this process: what depends on code that can't be read is known in no other one."""


def code_digests(used: Iterable[object]) -> list[str]:
    """Of the source of each of these that is not part of graftwork, sorted: of all Python files of its package, or of
    its script; of what has no file (a notebook's cell) a name that only this process gives."""
    own = {type(one) for one in used if type(one).__module__.partition(".")[0] != __name__.partition(".")[0]}
    return sorted(_digest(one) for one in own)


def _digest(kind: type) -> str:
    module = sys.modules.get(kind.__module__.partition(".")[0])
    file = getattr(module, "__file__", None)
    if file is None or not Path(file).is_file():
        return f"{PROCESS} {kind.__qualname__} {id(kind)}"
    path = Path(file)
    files = list(path.parent.rglob("*.py")) if hasattr(module, "__path__") else [path]
    return sha256_of_files(files, path.parent)
