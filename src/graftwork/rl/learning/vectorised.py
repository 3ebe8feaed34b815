"""Environments side by side, as stable-baselines3 takes them: observations read, actions counted from 0.

Seeds, time limits and truncation are as gymnasium says: an environment is seeded at its first reset, and what is cut
by a time limit is no end (its last observation keeps its value).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv, VecEnvWrapper, VecNormalize

from graftwork.errors import DataError
from graftwork.rl.policies.acting import CLIPPED, EPSILON, Scale
from graftwork.rl.sight.reading import Reading
from graftwork.rl.world.actions import Actions
from graftwork.rl.world.environments import EnvironmentCrashedError, World, guarded


class ReadEnv(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Hands on what is stored of an observation: by part, or one row of numbers where that is all there is."""

    def __init__(self, env: Any, reading: Reading, actions: Actions, name: str) -> None:
        super().__init__(env)
        self.reading, self.name = reading, name
        self.observation_space = _space(reading)
        self.alone = reading.parts[0].name if reading.plain else None
        self.start = actions.starts[0] if actions.kind == "one" else np.array(actions.starts)
        self.shifts = any(actions.starts)
        if self.shifts:
            self.action_space = (
                spaces.Discrete(actions.sizes[0])
                if actions.kind == "one"
                else spaces.MultiDiscrete(list(actions.sizes))
            )

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        seen, info = self.env.reset(seed=seed, options=options)
        return self._read(seen), info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        seen, reward, ended, cut, info = self.env.step(action + self.start if self.shifts else action)
        told = info.get("success")
        if told is not None:
            info.setdefault("is_success", told)
        return self._read(seen), reward, ended, cut, info

    def _read(self, seen: Any) -> Any:
        try:
            row = self.reading.row(seen)
        except DataError as error:
            raise EnvironmentCrashedError(f"{self.name} showed something else than its space says: {error}") from error
        return row if self.alone is None else row[self.alone]


def _space(reading: Reading) -> spaces.Space[Any]:
    """The space of what `ReadEnv` hands on. Flat arrays: stable-baselines3 takes no row of bytes for a picture."""
    return _boxes(reading.handed(), alone=reading.plain)


def _boxes(lengths: Mapping[str, tuple[int, type[np.generic]]], *, alone: bool) -> spaces.Space[Any]:
    found: dict[str, spaces.Space[Any]] = {name: _box(*each) for name, each in lengths.items()}
    return next(iter(found.values())) if alone else spaces.Dict(found)


def _box(length: int, dtype: type[np.generic]) -> spaces.Box:
    low, high = (0, 255) if dtype is np.uint8 else (0, 2**31 - 1) if dtype is np.int32 else (-np.inf, np.inf)
    return spaces.Box(low, high, (length,), dtype)  # type: ignore[arg-type,unused-ignore]


class SeenEnv(VecEnvWrapper):
    """Hands on the features of pictures that a frozen base reads, computed for all environments together."""

    def __init__(self, venv: VecEnv, reading: Reading) -> None:
        super().__init__(venv, observation_space=_boxes(reading.stored(), alone=False))
        self.reading = reading

    def reset(self) -> Any:
        return self.reading.seen(self.venv.reset())  # type: ignore[arg-type]  # a dictionary, by our own space

    def step_wait(self) -> Any:
        rows, rewards, ended, infos = self.venv.step_wait()
        last = [at for at, info in enumerate(infos) if "terminal_observation" in info]
        if last:
            each = [infos[at]["terminal_observation"] for at in last]
            seen = self.reading.seen({name: np.stack([one[name] for one in each]) for name in each[0]})
            for place, at in enumerate(last):
                infos[at]["terminal_observation"] = {name: values[place] for name, values in seen.items()}
        return self.reading.seen(rows), rewards, ended, infos  # type: ignore[arg-type]


def side_by_side(world: World, reading: Reading, count: int, *, normalise: bool, discount: float) -> VecEnv:
    """So many environments, stepped one after the other. normalise: scale numbers and rewards by what was met.

    Raises EnvironmentCrashedError where one can't be made.
    """

    def one() -> Any:
        return Monitor(ReadEnv(guarded(world.made(None), world.name), reading, world.actions, world.name))

    found: VecEnv = DummyVecEnv([one] * count)
    if reading.computes_pictures:
        found = SeenEnv(found, reading)
    if normalise:
        numbers = [part.name for part in reading.small if part.kind == "numbers"]
        keys = None if reading.plain else numbers
        found = VecNormalize(
            *(found, True, reading.plain or bool(numbers), True, CLIPPED),
            gamma=discount,
            epsilon=EPSILON,
            norm_obs_keys=keys,
        )
    return found


def normaliser(env: VecEnv) -> VecNormalize | None:
    """What scales numbers and rewards, if anything does."""
    while isinstance(env, VecEnvWrapper):
        if isinstance(env, VecNormalize):
            return env
        env = env.venv
    return None


def scale_of(env: VecEnv, reading: Reading) -> Scale:
    """By part, mean and variance of its numbers as they are now."""
    found = normaliser(env)
    if found is None or not found.norm_obs:
        return {}
    moments: Any = found.obs_rms  # by key where observations have keys
    by_name = {reading.parts[0].name: moments} if reading.plain else moments
    return {name: (one.mean.copy(), one.var.copy()) for name, one in by_name.items()}
