"""Environments by id or by name of code, and what stands around each: an environment that fails says so in one way."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from graftwork.discovery.code import from_code
from graftwork.errors import GraftworkError, MissingPackageError, UsageError, nearest
from graftwork.rl.recipe import Made
from graftwork.rl.world.actions import Actions, actions_of
from graftwork.rl.world.observations import Part, parts_of

_ID = re.compile(r".*-v\d+")
"""How ids end; what stands before a colon is then the package that brings it, which gymnasium imports."""
INSTALL = 'pip install "graftwork[rl]"'


class EnvironmentCrashedError(GraftworkError):
    """An environment raised an error, or gave something that is no number, in the middle."""


@dataclass(frozen=True)
class World:
    """An environment that was looked at. made: makes a new one each time; given a mode, one that draws itself.
    parts: of its observations. actions: that it takes. has_mode: whether it can draw itself as pixels."""

    name: str
    made: Callable[[str | None], Any]
    parts: tuple[Part, ...]
    actions: Actions
    draws: bool


def need_gymnasium() -> None:
    """Raise MissingPackageError where the extra `rl` is not installed."""
    for package in ("gymnasium", "stable_baselines3"):
        try:
            importlib.import_module(package)
        except ModuleNotFoundError as error:
            if error.name != package:
                raise
            raise MissingPackageError(f"Learning in environments needs {package}: {INSTALL}") from None


def open_world(env: str | Made) -> World:
    """Make the environment once and look at its spaces.

    Raises UsageError for an id that there is not, MissingPackageError where it needs a package, RefusedError for
    observations or actions that nothing reads or learns, EnvironmentCrashedError where it can't be made.
    """
    need_gymnasium()
    name, make = _maker(env)
    first = make(None)
    try:
        parts, actions = parts_of(first.observation_space, name), actions_of(first.action_space, name)
        modes = (getattr(first, "metadata", None) or {}).get("render_modes", ())
    finally:
        with suppress(Exception):
            first.close()
    return World(name, make, parts, actions, "rgb_array" in modes)


def _maker(env: str | Made) -> tuple[str, Callable[[str | None], Any]]:
    if not isinstance(env, str):
        name = getattr(env, "__qualname__", type(env).__name__)
        return name, lambda mode: _built(env, name, mode)
    if ":" not in env or _ID.fullmatch(env.partition(":")[2]):
        return env, lambda mode: _by_id(env, mode)
    found = from_code(env, "environment")
    if not callable(found):
        raise UsageError(f"{env} is {type(found).__name__}. Expected a class, or a function that makes an environment.")
    return env, lambda mode: _built(found, env, mode)


def _built(make: Callable[..., Any], name: str, mode: str | None) -> Any:
    import gymnasium

    try:
        made = _with_mode(make, mode)
    except Exception as error:
        raise EnvironmentCrashedError(f"{name} could not be made: {_said(error)}") from error
    if not isinstance(made, gymnasium.Env):
        raise UsageError(f"{name} made {type(made).__name__}. Expected an environment of gymnasium (gymnasium.Env).")
    return made


def _with_mode(make: Callable[..., Any], mode: str | None) -> Any:
    """Many classes take no render_mode; those are made without, and don't draw."""
    if mode is not None:
        with suppress(TypeError):
            return make(render_mode=mode)
    return make()


def _by_id(name: str, mode: str | None) -> Any:
    import gymnasium
    from gymnasium import error as errors

    try:
        # Its checks look at every step; what they would find is checked here, at a fraction of the time.
        return gymnasium.make(name, render_mode=mode, disable_env_checker=True)
    except errors.DependencyNotInstalled as error:
        raise MissingPackageError(f"The environment {name} needs a package: {_said(error)}") from None
    except (errors.UnregisteredEnv, errors.NamespaceNotFound) as error:
        if ":" not in name and "/" in name and not any(known.startswith(name.split("/")[0]) for known in _ids()):
            raise MissingPackageError(
                f"There is no environment '{name}': nothing installed brings names that begin with "
                f"'{name.split('/')[0]}/'. Install the package that does, such as ale-py for ALE/."
            ) from None
        raise UsageError(f"There is no environment '{name}'. {_advice(name, str(error))}") from None
    except errors.Error as error:
        raise UsageError(f"There is no environment '{name}': {_said(error)} {_advice(name, '')}".rstrip()) from None
    except ModuleNotFoundError as error:
        raise MissingPackageError(
            f"The environment {name} needs the package {error.name}, which is not installed. Install it with pip."
        ) from None
    except Exception as error:
        raise EnvironmentCrashedError(f"{name} could not be made: {_said(error)}") from error


def _ids() -> list[str]:
    import gymnasium

    return list(gymnasium.registry)


def _advice(name: str, told: str) -> str:
    near = nearest(name, _ids())
    if near.startswith("Did you mean"):
        return near.split(" Known:")[0]
    return (
        f"{told} Give the id of a gymnasium environment that is installed, PACKAGE:ID of one whose package has to be "
        "imported first (minigrid:BabyAI-GoToLocal-v0), or module:Class of your own."
    ).lstrip()


def _said(error: BaseException) -> str:
    """An error in one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def guarded(env: Any, name: str) -> Any:
    """The environment, with errors that say which one failed, and at what."""
    import gymnasium

    class Guarded(gymnasium.Wrapper[Any, Any, Any, Any]):
        """Says which environment failed and at what."""

        def reset(
            self, *, seed: int | None = None, options: dict[str, Any] | None = None
        ) -> tuple[Any, dict[str, Any]]:
            try:
                found, info = self.env.reset(seed=seed, options=options)
            except Exception as error:
                raise EnvironmentCrashedError(f"{name} failed when it was reset: {_said(error)}.") from error
            return found, info

        def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
            try:
                seen, reward, ended, cut, info = self.env.step(action)
                reward = float(reward)
            except Exception as error:
                raise EnvironmentCrashedError(f"{name} failed at a step, action {action}: {_said(error)}.") from error
            if not -1e30 < reward < 1e30:  # not a number, too
                raise EnvironmentCrashedError(f"{name} gave the reward {reward}. Expected a finite number.")
            return seen, reward, ended, cut, info

    return Guarded(env)
