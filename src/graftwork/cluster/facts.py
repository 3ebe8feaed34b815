"""What one node has: read there, and sent back as plain data.

It stands alone, with nothing of Graftwork in it, and goes to a node by value: a node may lack Graftwork.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import platform
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def facts(packages: Sequence[str], paths: Sequence[str]) -> dict[str, Any]:
    """The versions that a node runs, those of the packages (names to import) that it lacks, and of the paths that it
    does not see."""
    return {
        "name": socket.gethostname(),
        "process": os.getpid(),
        "python": platform.python_version(),
        "ray": _version("ray"),
        "graftwork": _version_of_source() or _version("graftwork"),
        "source": source(),
        "lacks": [name for name in packages if importlib.util.find_spec(name) is None],
        "unseen": [path for path in paths if not Path(path).expanduser().exists()],
    }


def source() -> str:
    """A digest of the files of Graftwork, which tells two checkouts of one version apart; "" where there is none."""
    found = importlib.util.find_spec("graftwork")
    if found is None or not found.submodule_search_locations:
        return ""
    root, hasher = Path(next(iter(found.submodule_search_locations))), hashlib.blake2b(digest_size=8)
    for path in sorted(root.rglob("*.py")):
        hasher.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes() + b"\0")
    return hasher.hexdigest()


def _version_of_source() -> str:
    found = importlib.util.find_spec("graftwork")
    if found is None:
        return ""
    import graftwork

    return str(graftwork.__version__)


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""
