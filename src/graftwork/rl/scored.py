"""How a policy did in its environment at one step of learning, and a whole run of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Scored:
    """Some episodes, played by the policy as it was, with its most probable actions.

    step: of all environments together, when it was scored. seconds, cpu: that learning had taken by then, scoring
    apart. returns: sum of the rewards of each episode. lengths: steps of each. successes: whether each reached what it
    was to, where the environment says so (`is_success` or `success` in its info); None where it doesn't.
    """

    step: int
    seconds: float
    cpu: float
    returns: tuple[float, ...]
    lengths: tuple[int, ...]
    successes: tuple[bool, ...] | None = None

    @property
    def mean(self) -> float:
        """Mean return."""
        return sum(self.returns) / len(self.returns) if self.returns else float("nan")

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)

    @staticmethod
    def from_json(plain: Mapping[str, Any]) -> Scored:
        """The inverse of `to_json`. Raises KeyError, TypeError or ValueError for anything else."""
        successes = plain["successes"]
        return Scored(
            int(plain["step"]),
            float(plain["seconds"]),
            float(plain["cpu"]),
            tuple(float(one) for one in plain["returns"]),
            tuple(int(one) for one in plain["lengths"]),
            None if successes is None else tuple(bool(one) for one in successes),
        )
