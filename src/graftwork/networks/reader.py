"""An encoder with the settings by which texts come to it: where its tokens stand in a text as it is written."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from graftwork.data.columns.text import TextSettings, normalise, origins
from graftwork.networks.encoder import Encoder


@dataclass(frozen=True)
class Reader:
    """What reads one input of a run."""

    encoder: Encoder
    text: TextSettings = field(default_factory=TextSettings)

    def places(self, value: str) -> np.ndarray:
        """Start and end of each token in a text as the table has it (L, 2), in characters; -1, -1 for special ones.

        Raises UsageError for a base that can't say it, and for settings that change more of a text than its white space
        and case.
        """
        found = self.encoder.places(normalise(value, self.text))
        origin = np.append(origins(value, self.text), len(value))
        there = found[:, 0] >= 0
        placed = np.full(found.shape, -1, np.int64)
        placed[there, 0] = origin[found[there, 0]]
        filled = there & (found[:, 1] > found[:, 0])
        placed[there, 1] = placed[there, 0]
        placed[filled, 1] = origin[found[filled, 1] - 1] + 1
        return placed
