"""Where fetched bases lie, and which are here: folders that are never pruned, unlike the cache."""

from __future__ import annotations

import importlib.util
import os
import re
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


def at_hand(name: str) -> Path | None:
    """The folder of a base: of one that was fetched, else that of an installed package, which is not imported for it.
    None where there is neither."""
    if is_here(name):
        return folder_of(name)
    entry = known().get(name)
    module, _, inside = entry.installed.partition("/") if entry else ("", "", "")
    spec = importlib.util.find_spec(module) if module else None
    places = spec.submodule_search_locations if spec else None
    folders = [Path(place) / inside for place in places or ()]
    return next((folder for folder in folders if folder.is_dir()), None)


def need(name: str) -> Path:
    """The folder of a base. Raises ModelError where it is not here, with the ways to have it."""
    found = at_hand(name)
    if found is not None:
        return found
    entry = known()[name]
    elsewhere = f"; or from the hub: graft bases get {name} --source hub" if entry.hub else ""
    raise ModelError(
        f"The base '{name}' is not here. Fetch it once ({entry.fetched / 1e6:,.0f} MB): graft bases get {name}"
        f"{elsewhere}. A local folder with such a model works too: --base FOLDER."
    )


_HUB_ID = re.compile(r"[\w][\w.-]*/[\w.-]+(@[\w./-]+)?")


def is_hub_id(name: str) -> bool:
    """Whether it looks like the id of a model on the hub, `org/name`, or `org/name@revision`."""
    return _HUB_ID.fullmatch(name) is not None


def hub_folder(name: str) -> Path:
    """Where what was fetched by a hub id lies, or would lie."""
    return home() / "bases" / "hub" / name.partition("@")[0].replace("/", "--")


def fetched_from_hub(name: str) -> Path | None:
    """The folder of what was fetched by this hub id; None where it was not, or it is none."""
    if not is_hub_id(name):
        return None
    folder = hub_folder(name)
    return folder if (folder / SOURCE).is_file() else None
