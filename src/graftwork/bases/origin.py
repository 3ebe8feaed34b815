"""Whose the weights of a base are, and under which licence: by what lies beside them, and by the catalogue."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from graftwork.bases import licences
from graftwork.bases.catalogue import Entry, known
from graftwork.bases.hashes import sha256_of_files
from graftwork.bases.home import fetched_from_hub, is_hub_id
from graftwork.bases.source import Source, file_digest, source_in
from graftwork.errors import GraftworkError


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What is known of the weights of a base.

    name: of the base; of a folder its own name, without those above it. licence: its SPDX identifier, the name that
    was found where it has none, "unknown" where nothing was found. commercial: whether that is known to allow
    commercial use. hub, revision: the authors' own on the hub. sha256: of the file with the weights (of several, of
    their lines as `sha256sum` writes them); None where there is none. by: who uploaded what was fetched.
    """

    name: str
    licence: str = licences.UNKNOWN
    commercial: bool = False
    hub: str | None = None
    revision: str | None = None
    sha256: str | None = None
    by: str = ""


def origin_of(name: str | None, where: str | Path, *, hashed: bool = True) -> Origin:
    """The origin of the base `name` (None: it is called as its folder or hub id), whose weights are `where`: a folder,
    or a hub id.

    In this order: source.json, which fetching wrote; the catalogue, by its name or its hub id; the model card
    (README.md) or the LICENSE in the folder, for a hub id that of the local cache. Looks at no network.
    hashed: whether the weights are read for their checksum, which takes a second a gigabyte.
    """
    folder = _folder(str(where))
    entry = (known().get(name) if name else None) or _by_hub(str(where))
    source = source_in(folder) if folder is not None else None
    called = name or (str(where) if _is_hub_id(str(where)) else Path(where).expanduser().absolute().name)
    if source is not None:
        found = _from_source(called, source)
    else:
        found = _from_entry(entry) if entry else _stated(called, str(where), folder)
    if not hashed:
        return found
    weights = source.files.get("model.safetensors", "") if source else ""
    return replace(found, sha256=weights if _is_hash(weights) else _hash(folder) if folder else None)


def _folder(where: str) -> Path | None:
    """Where the weights lie: the folder itself, or that of the hub's cache."""
    local = Path(where).expanduser()
    if local.is_dir():
        return local
    if not _is_hub_id(where):
        return None
    fetched = fetched_from_hub(where)
    if fetched is not None:
        return fetched
    from huggingface_hub import try_to_load_from_cache

    try:
        config = try_to_load_from_cache(where, "config.json")
    except (OSError, ValueError):
        return None
    return Path(config).parent if isinstance(config, str) else None


def _by_hub(where: str) -> Entry | None:
    return next((entry for entry in known().values() if entry.hub == where), None)


def _from_source(name: str, source: Source) -> Origin:
    licence = licences.spdx(source.licence)
    entry = known().get(source.name)
    agreed = entry is not None and entry.licence == licence
    return Origin(
        name=_text(source.name) or name,
        licence=licence,
        commercial=entry.commercial if entry and agreed else licences.allows_commercial_use(licence),
        hub=_text(source.hub),
        revision=_text(source.revision),
        by=", ".join(dict.fromkeys(filter(None, (_text(package.get("by")) for package in source.packages)))),
    )


def _from_entry(entry: Entry) -> Origin:
    return Origin(
        name=entry.name,
        licence=entry.licence,
        commercial=entry.commercial,
        hub=entry.hub,
        revision=entry.revision,
        by=", ".join(dict.fromkeys(package.by for package in entry.packages)),
    )


def _stated(name: str, where: str, folder: Path | None) -> Origin:
    """What a folder says of itself."""
    licence = licences.stated_in(folder) if folder is not None else licences.UNKNOWN
    return Origin(
        name=name,
        licence=licence,
        commercial=licences.allows_commercial_use(licence),
        hub=where if _is_hub_id(where) else None,
    )


def _is_hub_id(where: str) -> bool:
    return is_hub_id(where) and not Path(where).expanduser().is_dir()


def _hash(folder: Path) -> str | None:
    """SHA-256 of the weights; None where there are none, or they can't be read."""
    files = sorted(folder.glob("*.safetensors"))
    try:
        return file_digest(files[0]) if len(files) == 1 else sha256_of_files(files, folder) if files else None
    except (OSError, GraftworkError):
        return None


def _is_hash(value: str) -> bool:
    return re.fullmatch(r"[0-9a-f]{64}", value) is not None


def _text(value: str | None) -> str | None:
    return value if value and value.isprintable() else None
