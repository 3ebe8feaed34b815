"""What a technique wants to be told of a run: the means of some terms of the loss over its steps (`Graft.told`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

POINTS = 50
"""Points of a curve at most; each is the mean of as many steps."""


@dataclass
class Told:
    """names: of the terms. every: steps that one point is the mean of. points: by name, [step, sum, count] of each,
    where the step is the last one that is in it; plain JSON data, for a checkpoint."""

    names: Sequence[str] = ()
    every: int = 1
    points: dict[str, list[list[float]]] = field(default_factory=dict)

    def measured(self, step: int, means: Mapping[str, float]) -> None:
        """Note the means of a step, counted from 1; terms that it does not have are left out."""
        for name in self.names:
            if name in means:
                points, value = self.points.setdefault(name, []), means[name]
                if not points or points[-1][2] >= self.every:
                    points.append([0, 0.0, 0])
                points[-1] = [step, points[-1][1] + value, points[-1][2] + 1]

    def curves(self) -> Mapping[str, tuple[tuple[int, float], ...]]:
        """By name, the points (step, mean) in order."""
        return {
            name: tuple((int(step), total / count) for step, total, count in points)
            for name, points in self.points.items()
        }


def told_of(names: Sequence[str], steps: int) -> Told:
    """Nothing told yet of a run of so many steps."""
    return Told(names, -(-steps // POINTS) or 1)
