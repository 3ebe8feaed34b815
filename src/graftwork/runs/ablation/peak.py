"""How much memory a piece of work takes at its peak, where the system or the GPU says."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import torch

from graftwork.devices import chosen

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def watched() -> Callable[[], int]:
    """Begins to watch; what it gives is called at the end, and says the bytes at the peak above those at the start.
    0 where nothing tells. On a GPU those of its memory."""
    device = chosen()
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        held = torch.cuda.memory_allocated(device)
        return lambda: max(0, torch.cuda.max_memory_allocated(device) - held)
    try:
        _RESET.write_text("5")  # the peak of this process so far is forgotten
    except OSError:
        return lambda: 0
    begun = _resident("VmRSS")
    return lambda: max(0, _resident("VmHWM") - begun) if begun else 0


def _resident(name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+) kB", _STATUS.read_text(), re.MULTILINE)
    return int(found[1]) * 1024 if found else 0
