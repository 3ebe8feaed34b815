"""What was measured while a policy learned: plain data, between what acts in an environment and what judges it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Scored:
    """One evaluation of a policy: whole episodes in an environment of their own, that it does not learn from.

    step: steps of learning so far, over all environments. seconds, cpu: wall and CPU seconds of learning so far.
    returns: the sum of the rewards of each episode. lengths: steps of each. successes: whether each reached its goal;
    None where the environment does not say.
    """

    step: int
    seconds: float
    cpu: float
    returns: tuple[float, ...]
    lengths: tuple[int, ...]
    successes: tuple[bool, ...] | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class SeedRun:
    """One seed of a call. scored: its evaluations in their order. interrupted: ended by hand or by its budget. failed:
    why it ended before its time; empty where it did not."""

    seed: int
    scored: tuple[Scored, ...]
    interrupted: bool = False
    failed: str = ""

    def at(self, step: int) -> Scored | None:
        """The newest evaluation at or before `step`; None before the first and behind the last one."""
        if not self.scored or step > self.scored[-1].step:
            return None
        return next((one for one in reversed(self.scored) if one.step <= step), None)

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "scored": [one.to_json() for one in self.scored]}


def scored_from(plain: Mapping[str, Any]) -> Scored:
    """The inverse of `Scored.to_json`. Raises KeyError, TypeError and ValueError for what is none."""
    successes = plain["successes"]
    return Scored(
        step=int(plain["step"]),
        seconds=float(plain["seconds"]),
        cpu=float(plain["cpu"]),
        returns=tuple(map(float, plain["returns"])),
        lengths=tuple(map(int, plain["lengths"])),
        successes=None if successes is None else tuple(map(bool, successes)),
    )


def last_of(runs: Sequence[SeedRun]) -> tuple[Scored, ...]:
    """The last evaluation of each seed that has one."""
    return tuple(one.scored[-1] for one in runs if one.scored)
