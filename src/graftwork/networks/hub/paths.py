"""Where a base lies: a folder or a hub id, with settings behind it. Looks at the disk, never at a network."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from graftwork.errors import ModelError, UsageError, nearest
from graftwork.specs import settings_of

_SETTINGS = re.compile(r":(?=[\w-]+=)")
"""Between a path and its settings."""
_HUB_ID = re.compile(r"\w[\w.-]*/[\w.-]+")


def split_path(spec: str) -> tuple[str, dict[str, str]]:
    """The path and the settings behind it; a colon that belongs to the path stays there.

    >>> split_path("org/name:layers=2,pooling=cls"), split_path("C:/models/mine")
    (('org/name', {'layers': '2', 'pooling': 'cls'}), ('C:/models/mine', {}))
    >>> split_path('C:/mine:prompt="query: ",layers=2')
    ('C:/mine', {'prompt': 'query: ', 'layers': '2'})
    """
    found = _SETTINGS.search(spec)
    if found and not _is_there(spec):
        return spec[: found.start()], settings_of(spec[found.end() :], f"base '{spec}'")
    path, colon, rest = spec.rpartition(":")
    pairs = [part.partition("=") for part in rest.split(",") if part]
    if not colon or _is_there(spec) or not all(re.fullmatch(r"[\w-]+", key) for key, *_ in pairs):
        return spec, {}
    if not all(equals for _, equals, _ in pairs):
        raise UsageError(f"base '{spec}': settings are written name:key=value,key=value.")
    return path, {}


def is_hub_id(path: str) -> bool:
    """Whether it looks like the id of a model on the hub, org/name."""
    return _HUB_ID.fullmatch(path) is not None


def check_path(path: str, names: Iterable[str]) -> None:
    """Raise unless `path` exists or looks like a hub id; `names` are the bases that may have been meant."""
    if _is_there(path) or is_hub_id(path):
        return
    advice = f"{nearest(path, names)} A hub id looks like org/name."
    if os.sep in path or path.startswith((".", "~")):
        raise ModelError(f"There is no folder {path} for the base. {advice}")
    raise UsageError(f"Unknown base '{path}', and there is no such folder. {advice}")


def _is_there(path: str) -> bool:
    """Whether there is such a file or folder; not where its name is one that no file can have."""
    try:
        return Path(path).expanduser().exists()
    except (OSError, ValueError, RuntimeError):  # too long, a NUL, a home that nobody has
        return False
