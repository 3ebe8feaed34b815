"""The control groups of this process on Linux, whose files say what a container may use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


def group_folders(controller: str, root: Path = Path("/")) -> Iterator[tuple[bool, Path]]:
    """The folders of the groups that limit what `controller` (cpu, memory) counts, of the process and all above it;
    and whether they are of version 1. root: of the file system. A folder need not exist."""
    for version_1, path in _groups(controller, root / "proc/self/cgroup"):
        for top in _mounts(controller, root, version_1):
            yield from ((version_1, folder) for folder in _upwards(top, path))


def text_of(file: Path) -> str:
    """What a file says; nothing where it can't be read."""
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _groups(controller: str, file: Path) -> list[tuple[bool, str]]:
    """(whether it is version 1, path) of each group."""
    groups = []
    for line in text_of(file).splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if not controllers or controller in controllers.split(","):
            groups.append((bool(controllers), path))
    return groups


def _mounts(controller: str, root: Path, version_1: bool) -> list[Path]:
    top = root / "sys/fs/cgroup"
    if not version_1:
        return [top, top / "unified"]
    return [top / controller, *([top / "cpu,cpuacct"] if controller == "cpu" else [])]


def _upwards(top: Path, path: str) -> list[Path]:
    """The folder of a group and those above it. In a container the path may name a folder that only the host has."""
    parts = [part for part in path.split("/") if part and part != ".."]
    return [top.joinpath(*parts[:end]) for end in range(len(parts), -1, -1)]
