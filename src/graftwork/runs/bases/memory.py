"""How much memory is free: what the system says, within what the control groups of a container allow."""

from __future__ import annotations

import os
import re
from pathlib import Path

from graftwork.control_groups import group_folders, text_of

_UNLIMITED = 1 << 60
"""A limit beyond it is none: version 1 of control groups writes a huge number."""


def free_memory(root: Path = Path("/")) -> int | None:
    """Bytes that a process could take now without making the machine swap; None where the platform does not say.

    Linux says it (`MemAvailable`), and a container's limit counts; elsewhere half of what is built in. root: of the
    file system.
    """
    found = [left for left in (_machine(root), *_groups(root)) if left is not None]
    return max(0, min(found)) if found else None


def _machine(root: Path) -> int | None:
    told = re.search(r"^MemAvailable:\s+(\d+) kB", text_of(root / "proc/meminfo"), re.MULTILINE)
    if told:
        return int(told[1]) * 1024
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (AttributeError, ValueError, OSError):  # Windows has no such thing
        return None


def _groups(root: Path) -> list[int]:
    """What is left in each group that has a limit; file pages that can be dropped at once are not counted as used."""
    left = []
    for version_1, folder in group_folders("memory", root):
        names = ("memory.limit_in_bytes", "memory.usage_in_bytes") if version_1 else ("memory.max", "memory.current")
        limit, used = (text_of(folder / name).strip() for name in names)
        if limit.isdigit() and used.isdigit() and int(limit) < _UNLIMITED:
            dropped = re.search(r"^(?:total_)?inactive_file (\d+)$", text_of(folder / "memory.stat"), re.MULTILINE)
            left.append(int(limit) - int(used) + (int(dropped[1]) if dropped else 0))
    return left
