"""Where fetched bases lie, and which are here: folders that are never pruned, unlike the cache."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from graftwork.bases.catalogue import known
from graftwork.errors import ModelError

SOURCE = "source.json"
"""In the folder of a base, written last: where it came from, and what its files are."""


def home() -> Path:
    """`GRAFTWORK_HOME`, or `graftwork` in the platform's folder for users' data (`~/.local/share` on Linux). Not
    created."""
    named = os.environ.get("GRAFTWORK_HOME")
    if named:
        return Path(named).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "graftwork"
    root = os.environ.get("LOCALAPPDATA" if sys.platform == "win32" else "XDG_DATA_HOME")
    return (Path(root) if root else Path.home() / ".local" / "share") / "graftwork"


def folder_of(name: str) -> Path:
    """Where the base of this name lies, or would lie."""
    return home() / "bases" / name


def is_here(name: str) -> bool:
    """Whether the base was fetched."""
    return (folder_of(name) / SOURCE).is_file()


def need(name: str) -> Path:
    """The folder of a base. Raises ModelError where it is not here, with the ways to have it."""
    if is_here(name):
        return folder_of(name)
    entry = known()[name]
    elsewhere = f"; or from the hub: graft bases get {name} --source hub" if entry.hub else ""
    raise ModelError(
        f"The base '{name}' is not here. Fetch it once ({entry.fetched / 1e6:,.0f} MB): graft bases get {name}"
        f"{elsewhere}. A local folder with such a model works too: --base FOLDER."
    )
