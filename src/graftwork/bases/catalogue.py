"""Which pretrained bases can be had: what each reads, whose it is, under which licence, and where its weights lie.

Plain data, one file a base in `known`; nothing here looks at a network or a disk.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from graftwork.data.table import Modality
from graftwork.discovery.room import collected
from graftwork.errors import UsageError, nearest


@dataclass(frozen=True, kw_only=True)
class Package:
    """A file of a package registry: a wheel of PyPI, or a tarball of npm. sha256: of that file.

    files: what is read of it, SHA-256 by the path inside. by: who uploaded it.
    """

    registry: Literal["pypi", "npm"]
    name: str
    version: str
    sha256: str
    size: int
    files: Mapping[str, str]
    by: str


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A base that can be had.

    name: as recipes name it. uses: short words for what it is for (`english`, `images`), which `get` takes too; one
    use belongs to one base. languages: in words; empty where it reads none. parameters: how many. size: bytes on the
    disk once converted.
    licence: its SPDX identifier, "unknown" where the authors of the weights state none. licence_note: what else is to
    be said of it. commercial: whether the licence is known to allow commercial use. hub: the authors' own, by its
    hub id; revision: of it, a commit, where it was looked at. form: what the package holds: whole weights, or ones in
    fewer bits. packages: in the order in which their files are joined. convert: fills the folder `out` from the files
    of the packages, which are given by their paths inside and have the hashes that they should: `config.json`,
    `model.safetensors`, `LICENSE` where a package has one, and what else the base reads; may raise ModelError, and use
    the files up. installed: the folder that is the base where a package of it is installed (`module/folder`).
    """

    name: str
    summary: str
    reads: Modality
    uses: tuple[str, ...]
    languages: str
    parameters: int
    size: int
    licence: str
    commercial: bool
    hub: str | None
    form: str
    packages: tuple[Package, ...]
    convert: Callable[[Mapping[str, Path], Path], None]
    licence_note: str = ""
    revision: str | None = None
    installed: str = ""

    @property
    def fetched(self) -> int:
        """Bytes that come over the network."""
        return sum(package.size for package in self.packages)


@cache
def known() -> Mapping[str, Entry]:
    """All that can be had, by name: the `ENTRIES` of the modules in `known`."""
    return {name: held.thing for name, held in sorted(collected("graftwork.bases.known", "ENTRIES").items())}


def named(name: str) -> Entry:
    """The base of this name, or for this use.

    Raises UsageError where there is none.
    """
    entries = known()
    by_use = {use: entry for entry in entries.values() for use in entry.uses}
    found = entries.get(name) or by_use.get(name)
    if found is None:
        raise UsageError(f"There is no base '{name}' to be had. {nearest(name, [*entries, *by_use])}")
    return found
