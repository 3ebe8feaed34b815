"""Random numbers apart from the main stream, so that what draws them changes no draw of anything else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def own_stream(seed: int, device: torch.device) -> Iterator[None]:
    """Inside, global random numbers (dropout, initialisation) come from `seed`; outside, as if nothing was drawn."""
    accelerator = device.type if device.type != "cpu" else "cuda"
    with torch.random.fork_rng([device] if device.type != "cpu" else [], device_type=accelerator):
        torch.default_generator.manual_seed(seed)
        if device.type != "cpu":
            torch.get_device_module(device).manual_seed(seed)
        yield
