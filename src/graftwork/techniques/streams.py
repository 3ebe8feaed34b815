"""Random numbers apart from the main stream, so that adding a technique changes no draw of the others."""

from __future__ import annotations

import torch

from graftwork.data.batch import Batch
from graftwork.networks.streams import own_stream as own_stream

_LARGEST = 2**62


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
