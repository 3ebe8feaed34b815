"""Learning that was made up: seeds whose returns rise as they are told to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from graftwork.evidence.rl.outcome import About, Commands, Outcome
from graftwork.evidence.rl.scored import Scored, SeedRun

STEPS = tuple(range(1000, 10_001, 1000))
COMMANDS = Commands("longer!", "seeds!", "resume!", "normalise!", "ablate!", "use!")


def episodes(level: float, step: int, draw: np.random.Generator, *, spread: float = 5.0, goal: bool = False) -> Scored:
    """Twenty of them."""
    returns = tuple((level + spread * draw.normal(size=20)).tolist())
    reached = tuple(one > 50 for one in returns) if goal else None
    return Scored(step, step / 500, step / 600, returns, (30,) * 20, reached)


def run(seed: int, level: Callable[[int], float], steps: Sequence[int] = STEPS, **more: Any) -> SeedRun:
    draw = np.random.default_rng(seed)
    scored = tuple(episodes(level(step), step, draw, **more) for step in steps)
    return SeedRun(seed, scored, episodes(level(steps[-1]), steps[-1], draw, **more))


def outcome(runs: Sequence[SeedRun], *, random: float | None = 10.0, **more: Any) -> Outcome:
    at_random = None if random is None else episodes(random, 0, np.random.default_rng(99), goal=more.pop("goal", False))
    about = {"env": "Cart-v1", "algorithm": "ppo", "envs": 8, "steps": 10_000, "commands": COMMANDS}
    about |= more.pop("about", {})
    return Outcome(About(**about), tuple(runs), kept=0, random=at_random, **more)
