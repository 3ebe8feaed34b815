"""What a process has started, as Linux tells it: for tests that kill some of it, and see that nothing is left."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path


def below(process: int) -> list[int]:
    """The processes that this one has started, and those that they have, which are alive."""
    found, parents = list[int](), {process}
    started = _parents()
    while parents:
        children = {child for child, parent in started.items() if parent in parents}
        found += sorted(children)
        parents = children
    return found


def command_of(process: int) -> str:
    """How it was called; empty where it is gone."""
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def alive(process: int) -> bool:
    """Whether it is there, and no zombie."""
    return bool(command_of(process))


def until(true: Callable[[], object], seconds: float = 180.0) -> bool:
    """Wait until something is so; whether it came to be in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.1)
    return bool(true())


def _parents() -> dict[int, int]:
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                told = Path(f"/proc/{name}/stat").read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue
            found[int(name)] = int(told.rpartition(")")[2].split()[1])
    return found
