"""Actions as a table writes them: numbers, or the names that an environment has for them."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from graftwork.errors import nearest
from graftwork.rl.world.actions import Actions
from graftwork.rl.world.environments import World
from graftwork.shown import shortened_text

SLACK = 1e-4
"""By how much a number may leave its range, as a share of it: what rounding does."""


def action_columns(actions: Actions, name: str) -> tuple[str, ...]:
    """The columns that a table holds an action in: one, or one for each choice, switch or number."""
    count = 1 if actions.kind == "one" else int(np.prod(actions.shape))
    return (name,) if count == 1 else tuple(f"{name}.{at}" for at in range(count))


def action_names(world: World) -> dict[str, int]:
    """The names that an environment has for its choices, if any: an enumeration `actions` (minigrid), or what
    `get_action_meanings` gives (Atari)."""
    if world.actions.kind != "one":
        return {}
    env = world.made(None)
    try:
        own = getattr(env, "unwrapped", env)
        named = getattr(own, "actions", None)
        if isinstance(named, type) and issubclass(named, enum.Enum):
            return {one.name.lower(): int(one.value) for one in named}
        meanings = getattr(own, "get_action_meanings", None)
        start = world.actions.starts[0]
        return {str(name).lower(): start + at for at, name in enumerate(meanings())} if callable(meanings) else {}
    finally:
        with suppress(Exception):
            env.close()


def read_action(values: Sequence[Any], actions: Actions, names: Mapping[str, int]) -> np.ndarray:
    """One action (K,), float64, as algorithms count: choices from 0, numbers as they are. values: of its columns.

    Raises ValueError, with what was expected, for one that the environment does not know.
    """
    if actions.kind == "numbers":
        found = [_number(value, f"a number from {low:g} to {high:g}") for value, low, high in _ranges(values, actions)]
        for number, (_, low, high) in zip(found, _ranges(values, actions), strict=True):
            slack = SLACK * (high - low)
            if not low - slack <= number <= high + slack:
                raise ValueError(f"{number:g} is not a number from {low:g} to {high:g}")
        within: np.ndarray = np.clip(np.array(found), actions.low, actions.high)
        return within
    if actions.kind == "flags":
        switches = [_choice(value, 2, 0, {}) for value in values]
        return np.array(switches, np.float64)
    pairs = zip(values, actions.sizes, actions.starts, strict=True)
    return np.array([_choice(value, size, start, names) for value, size, start in pairs], np.float64)


def _ranges(values: Sequence[Any], actions: Actions) -> list[tuple[Any, float, float]]:
    return list(zip(values, actions.low, actions.high, strict=True))


def _choice(value: Any, size: int, start: int, names: Mapping[str, int]) -> int:
    named = names.get(str(value).strip().lower())
    last = start + size - 1
    expected = f"a whole number from {start} to {last}" + (f", or one of {', '.join(names)}" if names else "")
    number = float(named) if named is not None else _number(value, expected, names)
    if number != int(number) or not start <= number <= last:
        raise ValueError(f"{number:g} is not {expected}")
    return int(number) - start


def _number(value: Any, expected: str, names: Mapping[str, int] | None = None) -> float:
    if value is None:
        raise ValueError(f"there is none, and {expected} was expected")
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not np.isfinite(number):
        near = f". {nearest(str(value), names)}" if names else ""
        raise ValueError(f"'{shortened_text(str(value), 30)}' is not {expected}{near}")
    return number
