"""How a process on a machine of a cluster computes: its threads, its device."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from graftwork.devices import use_device


@contextmanager
def settled(threads: int, device: str) -> Iterator[None]:
    """Compute so for as long as the block lasts. Results of a processor depend on the number of threads, in the last
    digits: so it is the number that was asked for, and not what Ray found on the machine."""
    import torch

    torch.set_num_threads(threads)
    back = use_device(device)
    try:
        yield
    finally:
        back()
