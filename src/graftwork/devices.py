"""Which device computes: one setting for the process, read in one place. Nothing here imports torch until it is asked.

It is no part of a recipe: a model that was trained on one device predicts on any other.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from graftwork.errors import UsageError, nearest

if TYPE_CHECKING:
    import torch

AUTO, CPU, CUDA, MPS = "auto", "cpu", "cuda", "mps"
NAMES = (AUTO, CPU, CUDA, MPS)
VARIABLE = "GRAFTWORK_DEVICE"
"""The environment variable that is asked where nothing else was said."""

_used: list[str] = []
"""What `use_device` was told; the last one counts."""


def use_device(name: str) -> Callable[[], None]:
    """Compute on `name` from now on: "cpu", "cuda" (the first one; "cuda:1" the second), "mps" (Apple; not tested), or
    "auto": CUDA where there is any, else the CPU. Gives a function that takes it back.

    Raises UsageError for another name, and for a device that is not there.
    """
    check_device(name)
    _used.append(name)

    def back() -> None:
        if name in _used:
            del _used[len(_used) - 1 - _used[::-1].index(name)]

    return back


def check_device(name: str) -> None:
    """Raise UsageError where there is no such device; torch is loaded only for one that may be missing."""
    kind = name.partition(":")[0]
    if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", name):
        raise UsageError(f"There is no device '{name}'. {nearest(kind, NAMES)} Of several GPUs: cuda:1 is the second.")
    if kind in (CUDA, MPS) and _place(name) not in there():
        raise UsageError(f"The device '{name}' is not there. Here are: {', '.join(there())}. --device auto takes one.")


def there() -> tuple[str, ...]:
    """The devices of this machine, as `use_device` takes them."""
    import torch

    gpus = [f"{CUDA}:{at}" for at in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    return (CPU, *gpus, *([MPS] if torch.backends.mps.is_available() else []))


def asked() -> str:
    """The device that computes, as it was named."""
    return _used[-1] if _used else os.environ.get(VARIABLE, "").strip() or AUTO


def chosen() -> torch.device:
    """The device that computes. Raises UsageError where the one that is named is not there."""
    import torch

    name = asked()
    check_device(name)
    if name == AUTO:
        return torch.device(CUDA if torch.cuda.is_available() else CPU)
    return torch.device(name)


def _place(name: str) -> str:
    return f"{CUDA}:0" if name == CUDA else name
