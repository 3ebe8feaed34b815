"""The course of one run: when it is scored, when it is kept, when it ends."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from stable_baselines3.common.callbacks import BaseCallback

from graftwork.evidence.rl.scored import Scored
from graftwork.progress import Screen
from graftwork.rl.policies.policy import Policy

SHARE = 20
"""Scores of a run, where the recipe names no number of steps."""
SHOWN = 0.1
"""Seconds between two looks at the clock."""


@dataclass
class Clocks:
    """Time that learning took, scoring and keeping apart. seconds, cpu: before `began`."""

    seconds: float = 0.0
    cpu: float = 0.0
    began: tuple[float, float] = field(default_factory=lambda: (time.monotonic(), time.process_time()))

    def now(self) -> tuple[float, float]:
        """Seconds and CPU seconds so far."""
        return self.seconds + time.monotonic() - self.began[0], self.cpu + time.process_time() - self.began[1]

    def start(self) -> None:
        """It begins, or goes on."""
        self.began = (time.monotonic(), time.process_time())

    def paused(self, call: Callable[[], None]) -> None:
        """Do something that is not counted."""
        self.seconds, self.cpu = self.now()
        try:
            call()
        finally:
            self.start()


@dataclass
class Best:
    """The policy with the highest mean return so far. written: the step of the one that is on disk."""

    policy: Policy | None = None
    scored: list[Scored] = field(default_factory=list)
    mean: float = float("-inf")
    step: int = -1
    written: int = -1


class Course(BaseCallback):
    """Scores the policy now and then, between two updates, and keeps the best; ends the run at the deadline.

    score: the policy as it is, scored at a step, with the time so far. keep: writes a checkpoint, if it is time. steps:
    that there will be, None where the deadline alone says it. every: steps between two scores, None for a share of the
    time. until: `time.monotonic()` of the end.
    """

    def __init__(
        self,
        score: Callable[[int, float, float], tuple[Policy, Scored]],
        keep: Callable[[bool], None],
        screen: Screen,
        name: str,
        *,
        steps: int | None,
        every: int | None,
        until: float | None,
        best: Best,
        clocks: Clocks,
    ) -> None:
        super().__init__()
        self.score, self.keep, self.screen, self.name = score, keep, screen, name
        self.steps, self.every, self.until = steps, every, until
        self.best, self.clocks = best, clocks
        self.began, self.before = time.monotonic(), clocks.seconds  # of a run that goes on
        self.last_scored = best.scored[-1].step if best.scored else None
        self.last_time = self.began
        self.scoring = 0.0
        self.looked = 0.0

    def _on_rollout_start(self) -> None:
        if self._due():
            self.clocks.paused(self.scored)
        self.keep(False)

    def _on_step(self) -> bool:
        now = time.monotonic()
        if now - self.looked < SHOWN:
            return True
        self.looked = now
        state = f"return {self.best.scored[-1].mean:.1f}" if self.best.scored else ""
        if self.steps is not None:
            self.screen.show(self.name, min(self.num_timesteps, self.steps), self.steps, "steps", state)
        elif self.until is not None:
            spent, total = now - self.began, self.until - self.began
            told = f"{self.num_timesteps:,} steps{', ' if state else ''}{state}"
            self.screen.show(self.name, int(min(spent, total)), max(1, int(total)), "seconds", told)
            # What fades with progress, such as DQN's random actions, fades with the time.
            before = self.before
            self.model._total_timesteps = int(self.num_timesteps * (before + total) / max(before + spent, 1e-9)) + 1
        return self.until is None or now < self.until - self.scoring

    def _due(self) -> bool:
        if self.last_scored is None:
            return True
        if self.every is not None:
            return self.num_timesteps // self.every > self.last_scored // self.every
        assert self.until is not None
        return time.monotonic() - self.last_time >= (self.until - self.began) / SHARE

    def scored(self) -> None:
        """Score the policy as it is."""
        before = time.monotonic()
        step = self.num_timesteps
        policy, found = self.score(step, self.clocks.seconds, self.clocks.cpu)
        self.best.scored.append(found)
        if found.mean >= self.best.mean:
            self.best.policy, self.best.mean, self.best.step = policy, found.mean, step
        self.last_scored, self.last_time = step, time.monotonic()
        self.scoring = 1.5 * (self.last_time - before)
