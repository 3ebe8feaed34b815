"""From an observation to the numbers that are stored of it, between environment and algorithm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from graftwork.errors import RefusedError
from graftwork.rl.sight.base_inputs import BaseInput
from graftwork.rl.world.observations import Part


class Reading:
    """Reads observations of these parts. inputs: what bases read of them; the others are read as they are.

    Raises RefusedError for a part that needs a base, where none is named.
    """

    def __init__(self, parts: Sequence[Part], inputs: Sequence[BaseInput] = ()) -> None:
        self.parts, self.inputs = tuple(parts), tuple(inputs)
        read = {part.name for one in inputs for part in one.parts}
        self.small = tuple(part for part in parts if part.name not in read)
        for part in self.small:
            if part.kind == "text":
                raise RefusedError(
                    f"The environment shows a text, '{part.name}', and no base reads it. Name one: --base minilm."
                )

    @property
    def plain(self) -> bool:
        """Whether an observation is one row of numbers."""
        return len(self.parts) == 1 and len(self.small) == 1 and self.parts[0].kind == "numbers"

    @property
    def computes_pictures(self) -> bool:
        """Whether rows change in `seen`."""
        return any(one.kind == "image" and not one.trained for one in self.inputs)

    def row(self, observation: Any) -> dict[str, np.ndarray]:
        """Of one observation, by part or input, what an environment hands on: a flat array."""
        found = {part.name: part.read(observation) for part in self.small}
        return found | {one.name: one.row(observation) for one in self.inputs}

    def seen(self, rows: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Rows of several observations (B, length) as the algorithm stores them."""
        return {**rows, **{one.name: one.seen(rows[one.name]) for one in self.inputs}}

    def handed(self) -> dict[str, tuple[int, type[np.generic]]]:
        """By part or input, length and type of what `row` gives."""
        return self._small() | {one.name: one.handed() for one in self.inputs}

    def stored(self) -> dict[str, tuple[int, type[np.generic]]]:
        """By part or input, length and type of what `seen` gives."""
        return self._small() | {one.name: one.stored() for one in self.inputs}

    def _small(self) -> dict[str, tuple[int, type[np.generic]]]:
        return {p.name: (p.length, np.uint8 if p.kind in ("image", "map") else np.float32) for p in self.small}
