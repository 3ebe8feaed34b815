"""What learning by reward came to, as it is shown: the seeds, what acting at random returns, clips, how it was made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Literal

from graftwork.evidence.rl.curve import (
    Point,
    Strata,
    gain_interval,
    iqm_interval,
    lead_interval,
    learning_curve,
    mean_interval,
    share_interval,
)
from graftwork.evidence.rl.scored import Scored, SeedRun, last_of
from graftwork.evidence.scores.intervals import Interval

LATE = 2 / 3
"""The part of the steps from which on growth says that it still learns."""


@dataclass(frozen=True)
class Clip:
    """A recorded episode. gif: the picture's bytes. returned, length: its return and its steps."""

    name: Literal["best", "typical"]
    gif: bytes = field(repr=False)
    returned: float
    length: int


@dataclass(frozen=True)
class Commands:
    """What can be copied, where there is something to do; empty in Python."""

    longer: str = ""
    seeds: str = ""
    resume: str = ""
    normalise: str = ""
    ablate: str = ""
    use: str = ""


@dataclass(frozen=True)
class About:
    """How it was made. env: the environment's name. algorithm: with its settings, as it is written. network: what reads
    observations, in words. parts: of the recipe, that an ablation can leave out. envs: side by side. steps: asked for;
    None where a budget (seconds) decides. threshold: the mean return from which on the environment counts as solved;
    None where it does not say. recipe: as YAML."""

    env: str
    algorithm: str
    network: str = "a small network of its own"
    parts: tuple[str, ...] = ()
    envs: int = 1
    steps: int | None = None
    budget: float | None = None
    threshold: float | None = None
    recipe: str = ""
    command: str = ""
    commands: Commands = Commands()
    versions: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What is shown. random: episodes of random actions in the same environment. kept: the seed whose policy is saved.
    clips_missing: why there are none."""

    about: About
    runs: tuple[SeedRun, ...]
    kept: int
    random: Scored | None = None
    clips: tuple[Clip, ...] = ()
    clips_missing: str = ""

    @cached_property
    def curve(self) -> tuple[Point, ...]:
        """The learning curve over all seeds."""
        return learning_curve(self.runs)

    @property
    def last(self) -> tuple[Scored, ...]:
        """The final score of each seed that has one."""
        return last_of(self.runs)

    @property
    def scored(self) -> bool:
        """Whether any seed was scored."""
        return bool(self.last)

    @property
    def failed(self) -> tuple[SeedRun, ...]:
        return tuple(one for one in self.runs if one.failed)

    @cached_property
    def iqm(self) -> Interval:
        """Of the returns of each seed's final score."""
        return iqm_interval([one.returns for one in self.last])

    @cached_property
    def mean(self) -> Interval:
        """The plain mean of the same."""
        return mean_interval([one.returns for one in self.last])

    @cached_property
    def length(self) -> Interval:
        """Steps of an episode, the mean."""
        return mean_interval([one.lengths for one in self.last])

    @cached_property
    def success(self) -> Interval | None:
        """The share of episodes that reached their goal; None where the environment does not say."""
        told = [one.successes for one in self.last if one.successes]
        return share_interval(told) if told else None

    @cached_property
    def lead(self) -> Interval | None:
        """By how much the interquartile mean exceeds that of random actions."""
        if self.random is None:
            return None
        return lead_interval([one.returns for one in self.last], [self.random.returns])

    @cached_property
    def learned(self) -> Interval | None:
        """By how much the interquartile mean exceeds that before anything was learned, of the same seeds; None where
        that was not scored."""
        pairs = [(run.last, run.scored[0]) for run in self.runs if run.last and run.scored and not run.scored[0].step]
        if not pairs:
            return None
        return gain_interval([last.returns for last, _ in pairs], [first.returns for _, first in pairs])

    @cached_property
    def late_growth(self) -> Interval | None:
        """By how much the interquartile mean grew in the last third of the steps; None where nothing was scored at its
        beginning."""
        later: list[tuple[float, ...]] = []
        earlier: list[tuple[float, ...]] = []
        for run in self.runs:
            before = run.at(int(LATE * run.scored[-1].step)) if run.scored else None
            if before is not None and before is not run.scored[-1]:
                later.append(run.scored[-1].returns)
                earlier.append(before.returns)
        return gain_interval(later, earlier) if later else None

    @cached_property
    def fall(self) -> tuple[int, Interval] | None:
        """The step at which the curve was highest, and by how much it fell since; None where the end is within what
        chance makes of it."""
        whole = [one for one in self.curve if one.seeds == max(point.seeds for point in self.curve)]
        best = max(whole, key=lambda one: one.iqm.value, default=None)
        if best is None:
            return None
        pairs = [(run.at(best.step), run.scored[-1]) for run in self.runs if run.scored]
        before: Strata = [one.returns for one, _ in pairs if one is not None]
        after: Strata = [last.returns for one, last in pairs if one is not None]
        found = gain_interval(before, after)
        return (best.step, found) if found.low > 0 else None

    @property
    def steps(self) -> int:
        """Of learning, the most that a seed made."""
        return max((one.step for one in self._ends), default=0)

    @property
    def seconds(self) -> float:
        """Wall seconds of learning, all seeds."""
        return sum(one.seconds for one in self._ends)

    @property
    def cpu(self) -> float:
        """CPU seconds of learning, all seeds."""
        return sum(one.cpu for one in self._ends)

    @property
    def rate(self) -> float:
        """Steps a wall second, of all seeds; 0 where not measured."""
        return sum(one.step for one in self._ends) / self.seconds if self.seconds else 0.0

    def to_json(self) -> dict[str, Any]:
        """All of it as plain data, but for the clips' pictures; what `scores.json` holds."""
        about = {name: value for name, value in asdict(self.about).items() if name not in ("commands", "recipe")}
        return {
            **about,
            "kept": self.kept,
            "final": self._final() if self.scored else None,
            "curve": [{"step": one.step, **one.iqm.to_json(), "seeds": one.seeds} for one in self.curve],
            "random": self.random.to_json() if self.random else None,
            "learning": {"steps": self.steps, "seconds": self.seconds, "cpu": self.cpu, "steps_a_second": self.rate},
            "seeds": [one.to_json() for one in self.runs],
        }

    @property
    def _ends(self) -> list[Scored]:
        """Of each seed, the last score while it learned."""
        return [one.scored[-1] for one in self.runs if one.scored]

    def _final(self) -> dict[str, Any]:
        return {
            "iqm": self.iqm.to_json(),
            "mean": self.mean.to_json(),
            "length": self.length.to_json(),
            "success": self.success.to_json() if self.success else None,
            "over_random": self.lead.to_json() if self.lead else None,
        }
