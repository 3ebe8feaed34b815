"""A small world of pixels to try things on: `graft rl --env graftwork.rl.samples:Reach`. It needs the extra `rl`.

A white cross is to be led to the red disc, past shapes of other colours. All is drawn with numpy, 64 pixels a side.
"""

from __future__ import annotations

from typing import Any, Literal

import gymnasium
import numpy as np
from gymnasium import spaces

PIXELS = 64
"""A side of the picture."""
CELLS = 4
"""A side of the world, so that a cell is 16 pixels wide."""
MOVES = ((-1, 0), (1, 0), (0, -1), (0, 1))
"""Rows and columns of cells by action: up, down, left, right."""
_GROUND, _SELF, _GOAL = (24, 24, 32), (235, 235, 235), (214, 48, 49)
_OTHERS = ((46, 134, 222), (39, 174, 96), (241, 196, 15))
_DISC, _CROSS = "disc", "cross"
_SHAPES = ("square", "triangle", "ring")


class Reach(gymnasium.Env[np.ndarray, np.int64]):
    """Reach the red disc; the other shapes are to be left alone.

    It shows a picture, uint8 (64, 64, 3), and takes one of four moves: up, down, left, right; one against the wall
    stays where it is. The disc brings 1 and ends the episode, another shape -1 and ends it; a step nearer to the disc
    brings 0.1, one away from it -0.1, and each costs 0.02. It is cut off after `limit` steps. `info["is_success"]` says
    at the end whether the disc was reached.

    others: other shapes, 0 to 8. limit: steps. render_mode: none, or "rgb_array", four times as large.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 8}  # noqa: RUF012  # as gymnasium has it

    def __init__(self, *, others: int = 2, limit: int = 20, render_mode: Literal["rgb_array"] | None = None) -> None:
        if not 0 <= others <= 8:
            raise ValueError(f"others is {others}. Expected 0 to 8 other shapes.")
        if limit < 1:
            raise ValueError(f"limit is {limit}. Expected 1 step or more.")
        self.observation_space = spaces.Box(0, 255, (PIXELS, PIXELS, 3), np.uint8)
        self.action_space = spaces.Discrete(len(MOVES))
        self.render_mode, self.limit, self._count = render_mode, limit, others
        self._place, self._goal, self._steps = (0, 0), (0, 0), 0
        self._others: list[tuple[tuple[int, int], str, tuple[int, int, int]]] = []

    def reset(
        self,
        *,
        seed: int | None = None,
        options: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self._draw()
        while self._place not in self._ways():  # shapes all around the disc
            self._draw()
        self._steps = 0
        return self._picture(), {}

    def step(self, action: int | np.int64) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        before = self._away
        self._place, self._steps = self._after(int(action)), self._steps + 1
        reached, touched = self._place == self._goal, self._place in self._taken
        reward = (1.0 if reached else -1.0 if touched else 0.0) + 0.1 * (before - self._away) - 0.02
        ended, cut = reached or touched, self._steps >= self.limit
        return self._picture(), reward, ended, cut and not ended, {"is_success": reached} if ended or cut else {}

    def best_action(self) -> int:
        """The first move of a shortest way to the disc past the other shapes."""
        ways, far = self._ways(), CELLS * CELLS
        return min(range(len(MOVES)), key=lambda action: (ways.get(self._after(action), far), action))

    def render(self) -> np.ndarray | None:
        if self.render_mode is None:
            return None
        return self._picture().repeat(4, axis=0).repeat(4, axis=1)

    def _draw(self) -> None:
        """Where everything stands, and what the other shapes look like."""
        drawn = self.np_random.choice(CELLS * CELLS, 2 + self._count, replace=False)
        self._place, self._goal, *places = [(int(cell) // CELLS, int(cell) % CELLS) for cell in drawn]
        shapes = self.np_random.integers(len(_SHAPES), size=self._count)
        colours = self.np_random.integers(len(_OTHERS), size=self._count)
        self._others = [
            (place, _SHAPES[int(shape)], _OTHERS[int(colour)])
            for place, shape, colour in zip(places, shapes, colours, strict=True)
        ]

    def _ways(self) -> dict[tuple[int, int], int]:
        """By cell from which the disc can be reached past the other shapes, in how many moves."""
        reached, waiting = {self._goal: 0}, [self._goal]
        while waiting:
            at = waiting.pop(0)
            for down, right in MOVES:
                near = (at[0] + down, at[1] + right)
                free = 0 <= near[0] < CELLS and 0 <= near[1] < CELLS and near not in self._taken
                if free and near not in reached:
                    reached[near] = reached[at] + 1
                    waiting.append(near)
        return reached

    @property
    def _taken(self) -> set[tuple[int, int]]:
        return {place for place, _, _ in self._others}

    @property
    def _away(self) -> int:
        """Moves to the disc, if nothing stood in the way."""
        return abs(self._place[0] - self._goal[0]) + abs(self._place[1] - self._goal[1])

    def _after(self, action: int) -> tuple[int, int]:
        down, right = MOVES[action]
        row, column = self._place
        return min(max(row + down, 0), CELLS - 1), min(max(column + right, 0), CELLS - 1)

    def _picture(self) -> np.ndarray:
        picture = np.empty((PIXELS, PIXELS, 3), np.uint8)
        picture[:] = _GROUND
        shown = [(self._goal, _DISC, _GOAL), *self._others, (self._place, _CROSS, _SELF)]
        side = PIXELS // CELLS
        for (row, column), shape, colour in shown:
            cell = picture[row * side : (row + 1) * side, column * side : (column + 1) * side]
            cell[_MASKS[shape]] = colour
        return picture


def _masks() -> dict[str, np.ndarray]:
    """By shape, which pixels of its cell it covers."""
    side = PIXELS // CELLS
    middle = (side - 1) / 2
    down, right = np.mgrid[:side, :side] - middle
    away = np.hypot(down, right)
    return {
        _DISC: away < middle,
        _CROSS: (np.abs(down) < 1) | (np.abs(right) < 1),
        "square": np.maximum(np.abs(down), np.abs(right)) < middle,
        "triangle": np.abs(right) <= (down + middle) / 2,
        "ring": (away < middle + 0.3) & (away > middle - 2),
    }


_MASKS = _masks()
