"""Episodes played by a policy, several side by side, each with a seed of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from graftwork.errors import DataError
from graftwork.evidence.rl.scored import Scored
from graftwork.rl.world.environments import EnvironmentCrashedError, World, guarded

ACROSS = 8
"""Episodes that are played side by side."""
LONGEST = 100_000
"""Steps after which an episode without an end is cut."""
Act = Callable[[Sequence[Any]], Sequence[Any]]
"""Observations in, an action for each out."""


def episode_seeds(seed: int, episodes: int, *, last: bool = False) -> list[int]:
    """The seeds that the environment is reset with in the episodes of a score. last: those of the last score, on which
    nothing was chosen."""
    stream = np.random.SeedSequence([seed, 2 if last else 1])
    return [int(one) >> 1 for one in stream.generate_state(episodes, np.uint32)]


@dataclass
class Scorer:
    """Plays in environments that it keeps open; `close` ends them."""

    world: World
    envs: list[Any] = field(default_factory=list)

    def score(self, act: Act, seeds: Sequence[int], *, step: int = 0, seconds: float = 0.0, cpu: float = 0.0) -> Scored:
        """An episode for each seed. Raises EnvironmentCrashedError where the environment fails."""
        while len(self.envs) < min(ACROSS, len(seeds)):
            self.envs.append(guarded(self.world.made(None), self.world.name))
        results: list[tuple[float, int, bool | None]] = [(0.0, 0, None)] * len(seeds)
        waiting, playing = list(range(len(seeds))), dict[int, _Episode]()
        while waiting or playing:
            for env in self.envs:
                if waiting and all(one.env is not env for one in playing.values()):
                    at = waiting.pop(0)
                    playing[at] = _Episode(env, env.reset(seed=seeds[at])[0])
            actions = self._actions(act, [one.observation for one in playing.values()])
            for (at, one), action in zip(list(playing.items()), actions, strict=True):
                if one.step(action):
                    results[at] = (one.total, one.length, one.success)
                    del playing[at]
        totals, lengths, found = zip(*results, strict=True)
        successes = None if any(one is None for one in found) else tuple(map(bool, found))
        return Scored(step, seconds, cpu, tuple(totals), tuple(lengths), successes)

    def _actions(self, act: Act, observations: Sequence[Any]) -> Sequence[Any]:
        try:
            return act(observations)
        except DataError as error:
            told = f"{self.world.name} showed something else than its space says: {error}"
            raise EnvironmentCrashedError(told) from error

    def random(self, seeds: Sequence[int]) -> Scored:
        """The same with actions at random, drawn from the seeds."""
        env = self.world.made(None)
        space = env.action_space
        space.seed(seeds[0] if seeds else 0)
        try:
            return self.score(lambda observations: [space.sample() for _ in observations], seeds)
        finally:
            with suppress(Exception):
                env.close()

    def close(self) -> None:
        for env in self.envs:
            with suppress(Exception):
                env.close()
        self.envs.clear()


@dataclass
class _Episode:
    """One that is being played."""

    env: Any
    observation: Any
    total: float = 0.0
    length: int = 0
    success: bool | None = None

    def step(self, action: Any) -> bool:
        """Whether it ended."""
        self.observation, reward, ended, cut, info = self.env.step(action)
        self.total += float(reward)
        self.length += 1
        told = info.get("is_success", info.get("success"))
        if told is not None:
            self.success = bool(told)
        return bool(ended or cut or self.length >= LONGEST)
