"""How a process on a machine of a cluster computes: its threads, its device, its folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import chdir, contextmanager, nullcontext
from pathlib import Path

from graftwork.devices import use_device


@contextmanager
def settled(threads: int, device: str, cwd: str) -> Iterator[None]:
    """Compute so for as long as the block lasts. Results of a processor depend on the number of threads, in the last
    digits: so it is the number that was asked for, and not what Ray found on the machine. cwd: of the driver, where
    paths and code begin that a recipe or rows name; where this machine does not see it, they begin where they did."""
    import torch

    torch.set_num_threads(threads)
    back = use_device(device)
    try:
        with chdir(cwd) if Path(cwd).is_dir() else nullcontext():
            yield
    finally:
        back()
