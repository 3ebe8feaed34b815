"""Tiny environments of gymnasium: what the tests of `graftwork.rl` learn in, and what fails in them."""

from __future__ import annotations

from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium import spaces

COLOURS = ("red", "green", "blue")


class Signal(gymnasium.Env):  # type: ignore[misc]
    """Shows the sign of a number; the right action says it. An episode has 5 steps, each worth 0 or 1."""

    metadata: ClassVar = {"render_modes": ["rgb_array"]}
    observation_space = spaces.Box(-1.0, 1.0, (2,), np.float32)
    action_space: spaces.Space[Any] = spaces.Discrete(2)
    start = 0

    def __init__(self, render_mode: str | None = None) -> None:
        self.render_mode = render_mode
        self.at, self.steps = 0, 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed, options=options)
        self.steps = 0
        return self._next(), {}

    def _next(self) -> Any:
        self.at = int(self.np_random.integers(2))
        return np.array([2.0 * self.at - 1.0, 0.5], np.float32)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        right = int(action) - self.start == self.at
        self.steps += 1
        ended = self.steps == 5
        return self._next(), float(right), ended, False, {"is_success": right} if ended else {}

    def render(self) -> Any:
        return np.full((8, 8, 3), 100 + self.at, np.uint8)


class FromOne(Signal):
    """The same with actions that count from 1."""

    action_space = spaces.Discrete(2, start=1)
    start = 1


class Numbers(Signal):
    """The same with a number as the action, whose sign is judged."""

    action_space = spaces.Box(-2.0, 2.0, (1,), np.float32)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        return super().step(int(np.asarray(action)[0] > 0))


class Several(Signal):
    """A dictionary of all kinds that are read: what is told in it is also what is to be done."""

    observation_space = spaces.Dict(
        {
            "map": spaces.Box(0, 255, (4, 4, 2), np.uint8),
            "picture": spaces.Box(0, 255, (16, 16, 3), np.uint8),
            "way": spaces.Discrete(3, start=1),
            "inner": spaces.Dict({"flags": spaces.MultiBinary(2), "pair": spaces.MultiDiscrete([2, 3])}),
        }
    )

    def _next(self) -> Any:
        self.at = int(self.np_random.integers(2))
        return {
            "map": np.full((4, 4, 2), self.at, np.uint8),
            "picture": np.full((16, 16, 3), 200 * self.at, np.uint8),
            "way": 1 + self.at,
            "inner": {"flags": np.array([self.at, 1], np.int8), "pair": np.array([self.at, 2])},
        }


class Spoken(Signal):
    """Says in words and in a picture what is to be done."""

    observation_space = spaces.Dict(
        {"mission": spaces.Text(60), "picture": spaces.Box(0, 255, (16, 16, 3), np.uint8), "where": spaces.Discrete(2)}
    )

    def _next(self) -> Any:
        self.at = int(self.np_random.integers(2))
        return {
            "mission": f"go to the {COLOURS[self.at]} ball",
            "picture": np.full((16, 16, 3), 60, np.uint8),
            "where": 0,
        }


class Crashing(Signal):
    """Raises an error at its 40th step."""

    made = 0

    def __init__(self, render_mode: str | None = None) -> None:
        super().__init__(render_mode)
        self.total = 0

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.total += 1
        if self.total >= 40:
            raise RuntimeError("the motor is stuck")
        return super().step(action)


class Fading(Signal):
    """Shows what is no number from the fourth episode on."""

    def __init__(self, render_mode: str | None = None) -> None:
        super().__init__(render_mode)
        self.episodes = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        self.episodes += 1
        return super().reset(seed=seed, options=options)

    def _next(self) -> Any:
        return super()._next() if self.episodes < 4 else np.array([np.nan, 0.5], np.float32)


class Dead(Signal):
    """Can't be reset."""

    def reset(self, **_: Any) -> tuple[Any, dict[str, Any]]:
        raise RuntimeError("no power")


class NoNumber(Signal):
    """Gives a reward that is no number."""

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        return (*super().step(action)[:1], float("nan"), False, False, {})


class Endless(Signal):
    """Takes numbers without an end."""

    action_space = spaces.Box(-np.inf, np.inf, (1,), np.float32)


class Graphs(Signal):
    """Shows a graph, which nothing reads."""

    observation_space = spaces.Graph(spaces.Box(-1, 1, (1,)), None)
