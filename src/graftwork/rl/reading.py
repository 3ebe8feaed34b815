"""From an observation to the numbers that are stored of it, between environment and algorithm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from graftwork.errors import RefusedError
from graftwork.rl.observations import Part


class Reading:
    """Reads observations of these parts. Raises RefusedError for a part that needs a base, where none is named."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.parts = tuple(parts)
        for part in self.parts:
            if part.kind == "text":
                raise RefusedError(
                    f"The environment shows a text, '{part.name}', and no base reads it. Name one: --base minilm."
                )

    @property
    def plain(self) -> bool:
        """Whether an observation is one row of numbers."""
        return len(self.parts) == 1 and self.parts[0].kind == "numbers"

    def row(self, observation: Any) -> dict[str, np.ndarray]:
        """Of one observation, by part, what an environment hands on: a flat array."""
        return {part.name: part.read(observation) for part in self.parts}

    def seen(self, rows: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Rows of several observations (B, length) as the algorithm stores them."""
        return dict(rows)

    def handed(self, part: Part) -> tuple[int, type[np.generic]]:
        """Length and type of what `row` gives of a part."""
        return part.length, np.uint8 if part.kind in ("image", "map") else np.float32
