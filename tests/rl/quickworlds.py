"""Environments that take no time, for tests of what is made of runs."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np


class Choice(gymnasium.Env[np.ndarray, int]):
    """Ten steps; each is worth 1 where the action is 1."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}  # noqa: RUF012
    observation_space = gymnasium.spaces.Box(-1, 1, (2,))
    action_space = gymnasium.spaces.Discrete(2)
    fails = False

    def __init__(self, render_mode: str | None = None) -> None:
        self.render_mode = render_mode

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self.at = 0
        return self.np_random.uniform(-1, 1, 2).astype(np.float32), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self.at += 1
        seen = self.np_random.uniform(-1, 1, 2).astype(np.float32)
        return seen, float(action == 1), self.at == 10, False, {"is_success": True} if self.at == 10 else {}

    def render(self) -> np.ndarray:
        if self.fails:
            raise OSError("no pictures today")
        return np.full((16, 16, 3), 25 * self.at % 256, np.uint8)


class Huge(Choice):
    """What it shows is so large, and so far apart, that only what is scaled is learned from: the sign of the first."""

    observation_space = gymnasium.spaces.Box(-1e9, 1e9, (2,))

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        return self._shown(), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self.at += 1
        right = float(action == (self.sign > 0))
        return self._shown(), right, self.at == 10, False, {}

    def _shown(self) -> np.ndarray:
        self.sign = self.np_random.choice([-1.0, 1.0])
        return np.array([1e-4 * self.sign, 1e6], np.float32)
