"""The algorithms that learn by reward, as settings with a short written form: `ppo:steps=64,lr=7e-4`.

stable-baselines3 computes them (Raffin et al. 2021). Nothing here imports it: names and settings are checked at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from graftwork import specs
from graftwork.errors import RefusedError, UsageError


@dataclass(frozen=True, kw_only=True)
class Algorithm:
    """Settings of one algorithm.

    lr: learning rate of Adam (RMSprop for a2c). discount: what a reward is worth one step later, from 0 to 1. hidden:
    widths of the layers between what is seen and the actions, joined by "+"; the value has as many of its own.
    """

    lr: float = 3e-4
    discount: float = 0.99
    hidden: tuple[int, ...] = (64, 64)

    name: ClassVar[str]
    summary: ClassVar[str]
    acts: ClassVar[frozenset[str]]
    """Kinds of actions that it learns (`actions.Kind`)."""
    usual_envs: ClassVar[int]
    """Environments side by side where the recipe says nothing."""
    replays: ClassVar[bool]
    """Whether it keeps what happened in a buffer and learns from it again."""
    activation: ClassVar[str]

    def __post_init__(self) -> None:
        self.check_positive(lr=self.lr)
        self.check_share(discount=self.discount)
        if not self.hidden or min(self.hidden) < 1:
            raise UsageError(f"{self.name}: hidden is {self.hidden}. Expected widths of 1 or more, such as 64+64.")

    def arguments(self) -> dict[str, Any]:
        """What stable-baselines3's class of this name takes."""
        return {"learning_rate": self.lr, "gamma": self.discount}

    def check_positive(self, **values: float) -> None:
        """Raise UsageError for a setting that is not above 0."""
        for name, value in values.items():
            if not 0 < value < float("inf"):
                raise UsageError(f"{self.name}: {name} is {value}. Expected a number above 0.")

    def check_share(self, **values: float) -> None:
        """Raise UsageError for a setting that is not from 0 to 1."""
        for name, value in values.items():
            if not 0 <= value <= 1:
                raise UsageError(f"{self.name}: {name} is {value}. Expected a number from 0 to 1.")

    def check_least(self, least: int, **values: int) -> None:
        """Raise UsageError for a whole number below `least`."""
        for name, value in values.items():
            if value < least:
                raise UsageError(f"{self.name}: {name} is {value}. Expected {least} or more.")

    def check_nonnegative(self, **values: float) -> None:
        """Raise UsageError for a setting below 0."""
        for name, value in values.items():
            if not 0 <= value < float("inf"):
                raise UsageError(f"{self.name}: {name} is {value}. Expected 0 or more.")

    @property
    def spec(self) -> str:
        """The short written form."""
        return specs.write(self, self.name)

    def rollout(self, envs: int) -> int:
        """Steps of all environments together between two updates."""
        return envs


@dataclass(frozen=True, kw_only=True)
class PPO(Algorithm):
    """Proximal policy optimisation (Schulman et al. 2017): the robust first choice.

    steps: of each environment between two updates. batch: steps in a minibatch. epochs: passes over the steps.
    gae: trade-off of the advantage estimate (Schulman et al. 2016), from 0 to 1. clip: how far the policy's odds may
    move in an update. entropy: how much randomness is rewarded. value: weight of the value's loss. max_norm: of the
    gradient.
    """

    steps: int = 256
    batch: int = 64
    epochs: int = 10
    gae: float = 0.95
    clip: float = 0.2
    entropy: float = 0.0
    value: float = 0.5
    max_norm: float = 0.5

    name = "ppo"
    summary = "proximal policy optimisation: any actions, the robust first choice"
    acts = frozenset({"one", "several", "flags", "numbers"})
    usual_envs = 8
    replays = False
    activation = "tanh"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_least(2, steps=self.steps, batch=self.batch)
        self.check_least(1, epochs=self.epochs)
        self.check_share(gae=self.gae)
        self.check_positive(clip=self.clip, max_norm=self.max_norm)
        self.check_nonnegative(entropy=self.entropy, value=self.value)

    def arguments(self) -> dict[str, Any]:
        return super().arguments() | {
            "n_steps": self.steps,
            "batch_size": self.batch,
            "n_epochs": self.epochs,
            "gae_lambda": self.gae,
            "clip_range": self.clip,
            "ent_coef": self.entropy,
            "vf_coef": self.value,
            "max_grad_norm": self.max_norm,
        }

    def rollout(self, envs: int) -> int:
        return self.steps * envs


@dataclass(frozen=True, kw_only=True)
class A2C(Algorithm):
    """Advantage actor-critic (Mnih et al. 2016): many small updates.

    steps: of each environment between two updates. gae: as in ppo; 1 is the classic advantage. entropy, value,
    max_norm: as in ppo.
    """

    lr: float = 7e-4
    steps: int = 5
    gae: float = 1.0
    entropy: float = 0.0
    value: float = 0.5
    max_norm: float = 0.5

    name = "a2c"
    summary = "advantage actor-critic: any actions, many small updates"
    acts = frozenset({"one", "several", "flags", "numbers"})
    usual_envs = 8
    replays = False
    activation = "tanh"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_least(1, steps=self.steps)
        self.check_share(gae=self.gae)
        self.check_positive(max_norm=self.max_norm)
        self.check_nonnegative(entropy=self.entropy, value=self.value)

    def arguments(self) -> dict[str, Any]:
        return super().arguments() | {
            "n_steps": self.steps,
            "gae_lambda": self.gae,
            "ent_coef": self.entropy,
            "vf_coef": self.value,
            "max_grad_norm": self.max_norm,
        }

    def rollout(self, envs: int) -> int:
        return self.steps * envs


@dataclass(frozen=True, kw_only=True)
class Replaying(Algorithm):
    """What algorithms share that keep what happened in a buffer and learn from it again."""

    buffer: int
    starts: int
    batch: int
    every: int
    gradients: int = 1

    usual_envs = 1
    replays = True
    activation = "relu"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_least(1, buffer=self.buffer, batch=self.batch, every=self.every, gradients=self.gradients)
        self.check_least(0, starts=self.starts)

    def arguments(self) -> dict[str, Any]:
        return super().arguments() | {
            "buffer_size": self.buffer,
            "learning_starts": self.starts,
            "batch_size": self.batch,
            "train_freq": self.every,
            "gradient_steps": self.gradients,
        }


@dataclass(frozen=True, kw_only=True)
class DQN(Replaying):
    """Deep Q-learning (Mnih et al. 2015): one choice at a time, learned from a buffer of what happened.

    buffer: steps that are kept. starts: steps before it learns. batch: steps in a minibatch. every: environment steps
    between two updates. gradients: of an update. target: steps between two copies to the target network. explore,
    explore_end: the share of the training in which random actions fade, and the share of them that stays.
    max_norm: of the gradient.
    """

    lr: float = 1e-4
    buffer: int = 100_000
    starts: int = 1000
    batch: int = 64
    every: int = 4
    target: int = 1000
    explore: float = 0.1
    explore_end: float = 0.05
    max_norm: float = 10.0

    name = "dqn"
    summary = "deep Q-learning: one choice at a time, learns again from what happened"
    acts = frozenset({"one"})

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_least(1, target=self.target)
        self.check_share(explore=self.explore, explore_end=self.explore_end)
        self.check_positive(max_norm=self.max_norm)

    def arguments(self) -> dict[str, Any]:
        return super().arguments() | {
            "target_update_interval": self.target,
            "exploration_fraction": self.explore,
            "exploration_final_eps": self.explore_end,
            "max_grad_norm": self.max_norm,
        }


@dataclass(frozen=True, kw_only=True)
class SAC(Replaying):
    """Soft actor-critic (Haarnoja et al. 2018): numbers as actions, few steps of the environment.

    buffer, starts, batch, every, gradients: as in dqn. mixing: how fast the target networks follow, above 0 to 1.
    """

    hidden: tuple[int, ...] = (256, 256)
    buffer: int = 1_000_000
    starts: int = 100
    batch: int = 256
    every: int = 1
    mixing: float = 0.005

    name = "sac"
    summary = "soft actor-critic: numbers as actions, few steps of the environment"
    acts = frozenset({"numbers"})

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_positive(mixing=self.mixing)
        self.check_share(mixing=self.mixing)

    def arguments(self) -> dict[str, Any]:
        return super().arguments() | {
            "tau": self.mixing,
        }


ALGORITHMS: dict[str, type[Algorithm]] = {cls.name: cls for cls in (PPO, A2C, DQN, SAC)}


def parse_algorithm(spec: str | Mapping[str, Any] | Algorithm | None) -> Algorithm:
    """The settings that `spec` names; ppo where it is None.

    >>> parse_algorithm("ppo:steps=64,lr=7e-4").spec
    'ppo:lr=0.0007,steps=64'

    Raises UsageError for an unknown name or setting.
    """
    if spec is None or isinstance(spec, Algorithm):
        return spec or PPO()
    return specs.parse(spec, ALGORITHMS, "algorithm")


def check_actions(algorithm: Algorithm, kind: str, what: str) -> None:
    """Raise RefusedError where the algorithm does not learn actions of this kind. what: the actions, for a reader."""
    if kind in algorithm.acts:
        return
    able = [name for name, cls in ALGORITHMS.items() if kind in cls.acts]
    raise RefusedError(
        f"{algorithm.name} does not learn actions that are {what}. Choose another: --algorithm {' or '.join(able)}."
    )
