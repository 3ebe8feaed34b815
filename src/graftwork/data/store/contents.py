"""What lies in the cache, by section: how many entries, how large, when they were last used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from graftwork.data.store.cache import each_entry, is_unfinished, size_of

WORDS: Mapping[str, str] = {
    "prepared": "texts cut into tokens; pictures and sounds decoded",
    "frozen": "what frozen layers say of rows",
    "checked": "what was found of media files",
    "unpacked": "pictures and sounds out of zips",
    "spool": "large tables while they are in use",
    "taught": "what teachers say of rows",
    "trimmed": "bases with the tokens that rows use",
    "base-probes": "how well bases did in a probe",
}


@dataclass(frozen=True)
class Section:
    """entries: whole ones. unfinished: being written, or left by a process that died. size: bytes of both. used: when
    one was last used, seconds since 1970; 0 where there is none."""

    name: str
    entries: int
    unfinished: int
    size: int
    used: float

    @property
    def what(self) -> str:
        """What such entries hold, in words; empty for a section that is not known here."""
        return WORDS.get(self.name, "")


def sections() -> list[Section]:
    """Those of the cache, the largest first. Entries that vanish meanwhile are left out."""
    found: dict[str, list[Path]] = {}
    for path in each_entry():
        found.setdefault(path.parent.name, []).append(path)
    return sorted((_section(name, paths) for name, paths in found.items()), key=lambda one: (-one.size, one.name))


def _section(name: str, paths: Iterable[Path]) -> Section:
    entries = unfinished = size = 0
    used = 0.0
    for path in paths:
        try:
            last, bytes_held = path.stat().st_mtime, size_of(path)
        except OSError:
            continue
        partial = is_unfinished(path)
        entries, unfinished, size = entries + (not partial), unfinished + partial, size + bytes_held
        used = used if partial else max(used, last)
    return Section(name, entries, unfinished, size, used)
