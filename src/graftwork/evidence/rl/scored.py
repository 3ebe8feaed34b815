"""What was measured while a policy learned: plain data, between what acts in an environment and what judges it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


@dataclass(frozen=True)
class SeedRun:
    """One seed of a call. scored: while it learned, in their order; the policy that did best there is kept. final: the
    kept policy scored once more, on episodes that nothing was chosen by; None where that could not be done.
    interrupted: ended by hand. failed: why it ended before its time; empty where it did not."""

    seed: int
    scored: tuple[Scored, ...]
    final: Scored | None = None
    interrupted: bool = False
    failed: str = ""

    @property
    def last(self) -> Scored | None:
        """What says how good it is: the final score, else the last one while it learned; None where there is none."""
        found = self.final or (self.scored[-1] if self.scored else None)
        return found if found is not None and found.returns else None

    def at(self, step: int) -> Scored | None:
        """The newest evaluation at or before `step`; None before the first and behind the last one."""
        if not self.scored or step > self.scored[-1].step:
            return None
        return next((one for one in reversed(self.scored) if one.step <= step), None)

    def to_json(self) -> dict[str, Any]:
        plain = {"scored": [one.to_json() for one in self.scored], "final": self.final and self.final.to_json()}
        return {**asdict(self), **plain}


def last_of(runs: Sequence[SeedRun]) -> tuple[Scored, ...]:
    """What says how good each seed is, of those that have one."""
    return tuple(one.last for one in runs if one.last is not None)
