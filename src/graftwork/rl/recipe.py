"""A recipe of learning by reward: environment, bases, algorithm, techniques, how long, how it is scored."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graftwork import specs
from graftwork.core.technique import Technique
from graftwork.errors import RefusedError, UsageError
from graftwork.recipe import parse_techniques
from graftwork.rl.algorithms import PPO, Algorithm, parse_algorithm

STEPS = 100_000
"""Of the environment, where neither steps nor a budget are given."""

Made = Callable[[], Any]
"""Makes a new gymnasium environment each time it is called."""


@dataclass(frozen=True, kw_only=True)
class RLRecipe:
    """What to do.

    env: the id of a gymnasium environment, `module:Class`, or in Python a function that makes one. base: what reads
    pictures and texts, as in `Recipe`: a base, or one by modality or by part of a dictionary observation; None for the
    algorithm's own small networks. algorithm: an `Algorithm`, or as it is written ("ppo:steps=64"). techniques: those
    that only adapt a base (lora, partial, full, probe) or fuse several.
    demonstrations: a table of observations and actions that is learned from first, or a model that was fitted on one.
    steps: of all environments together; None for 100,000, or for as many as a budget allows. envs: side by side;
    None for the algorithm's usual number. normalise: scale numbers and rewards by what was met so far.
    evaluate_every: steps between two scores; None for a twentieth of the steps. episodes: of each score. seed: of the
    first run.

    Raises UsageError for values out of their range, RefusedError for a technique that does more than adapt.
    """

    env: str | Made
    base: str | Mapping[str, str] | None = None
    algorithm: Algorithm = field(default_factory=PPO)
    techniques: Sequence[Technique] = ()
    demonstrations: str | None = None
    steps: int | None = None
    envs: int | None = None
    normalise: bool = False
    evaluate_every: int | None = None
    episodes: int = 20
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "algorithm", parse_algorithm(self.algorithm))
        techniques = parse_techniques(self.techniques)
        if isinstance(techniques, str):
            raise UsageError("techniques is 'auto'. Name those that are to adapt the base, such as lora, or none.")
        object.__setattr__(self, "techniques", tuple(one for one in techniques if not one.off))
        for technique in self.techniques:
            _check_adapts(technique)
        for name in ("steps", "envs", "evaluate_every", "episodes"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UsageError(f"{name} is {value}. Expected 1 or more.")
        if self.seed < 0:
            raise UsageError(f"seed is {self.seed}. Expected a whole number of 0 or more.")
        if self.base is None and self.techniques:
            raise UsageError(
                f"{self.techniques[0].name} adapts a base, and none is named. Name one, such as --base minilm, or "
                "leave the technique out."
            )

    @property
    def env_name(self) -> str:
        """The environment for a reader."""
        return self.env if isinstance(self.env, str) else getattr(self.env, "__qualname__", repr(self.env))

    @property
    def used_envs(self) -> int:
        """Environments side by side."""
        return self.envs or self.algorithm.usual_envs

    def to_dict(self) -> dict[str, Any]:
        """Plain data; whatever is at its default is left out, but for the environment and the algorithm."""
        plain: dict[str, Any] = {"env": self.env_name, "algorithm": self.algorithm.spec}
        for name, value in specs.changed_settings(self).items():
            if name == "techniques":
                plain[name] = [specs.write(one, one.name) for one in value]
            elif name not in plain:
                plain[name] = dict(value) if isinstance(value, Mapping) else value
        return plain


_ADAPTING = frozenset({"trainable parameters", "head initialisation", "fusion"})
"""What a technique that only adapts a base may claim."""
_THERE = frozenset({"linear_layers", "several_inputs", "row_features", "target_column"})
"""Facts that hold where there are no rows and no targets."""


def _check_adapts(technique: Technique) -> None:
    """Raise RefusedError for a technique that needs rows, targets or the steps of a fit."""
    if technique.claims and technique.claims <= _ADAPTING and technique.needs <= _THERE:
        return
    raise RefusedError(
        f"{technique.name} needs rows with targets, or acts on the steps of a fit, and an environment has neither. "
        "These adapt a base and can be used here: lora, partial, full, probe, gated, weighted-sum."
    )
