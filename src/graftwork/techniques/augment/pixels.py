"""Colours of images through kornia, which is loaded when it is first needed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from types import ModuleType

import torch

from graftwork.errors import UsageError


def check_installed(technique: str) -> None:
    """Raise UsageError, with the command that mends it, where kornia is missing."""
    if find_spec("kornia") is None:
        raise UsageError(f"{technique} needs the package kornia: pip install 'graftwork[augment]'.")


def enhance() -> ModuleType:
    """kornia's functions on the colours of images (B, 3, H, W) from 0 to 1; none of them draws a random number."""
    import kornia.enhance

    return kornia.enhance


@contextmanager
def one_thread() -> Iterator[None]:
    """Many small operations on the processor: threads would wait for each other longer than they work."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
