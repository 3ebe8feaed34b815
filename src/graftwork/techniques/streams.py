"""Random numbers apart from the main stream, so that adding a technique changes no draw of the others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from graftwork.data.batch import Batch

_LARGEST = 2**62


@contextmanager
def own_stream(seed: int, device: torch.device) -> Iterator[None]:
    """Inside, global random numbers (dropout, initialisation) come from `seed`; outside, as if nothing was drawn."""
    accelerator = device.type if device.type != "cpu" else "cuda"
    with torch.random.fork_rng([device] if device.type != "cpu" else [], device_type=accelerator):
        torch.default_generator.manual_seed(seed)
        if device.type != "cpu":
            torch.get_device_module(device).manual_seed(seed)
        yield


class StepStream:
    """A seed that is drawn once a step, and is the same for every pass over the same rows within that step.

    A technique that runs the objective twice on one batch (SAM) then sees the same objective both times, while the
    parts of an accumulated batch differ. `renew` is the technique's `inputs` stage.
    """

    def __init__(self, generator: torch.Generator) -> None:
        self.generator = generator
        self._seed = 0

    def renew(self, batch: Batch) -> Batch:
        self._seed = int(torch.randint(_LARGEST, (1,), generator=self.generator))
        return batch

    def seed(self, batch: Batch) -> int:
        first = int(batch.rows[0]) if len(batch) else 0
        return (self._seed + first) % _LARGEST
