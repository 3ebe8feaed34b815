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
    """What says how good each seed is, of those that have one."""
    return tuple(one.last for one in runs if one.last is not None)
