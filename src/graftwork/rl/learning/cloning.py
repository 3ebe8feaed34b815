"""A policy that begins from demonstrations: it learns to do what they did, then its value is learned, then it is free.

Cloning is maximum likelihood of the actions, on the networks that the algorithm goes on with; a tenth of the rows, the
last ones, says when to stop. Right after that the value of a situation is still a guess, and updates by it would undo
what was cloned, so that for the first steps the value alone is learned.

Source: Pomerleau 1991 (behavioural cloning); for the value first, Vecerik et al. 2019 and Nair et al. 2018 in spirit.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm

from graftwork.errors import RefusedError
from graftwork.rl.learning.demonstrations import Demonstrations
from graftwork.rl.learning.vectorised import normaliser
from graftwork.rl.sight.reading import Reading

EPOCHS, PATIENCE = 50, 5
"""Passes over the demonstrations at most, and those without a better one after which it stops."""
LEAST_STEPS, LEAST_PATIENCE = 1000, 100
"""Steps that both stand for at least: a pass over few rows is a step or two."""
BATCH, LR = 64, 1e-3
HELD_OUT = 0.1
VALUE_STEPS, VALUE_SHARE = 8192, 0.1
"""Steps in which the value alone is learned at most, and the share of all steps that this may be."""


@dataclass(frozen=True)
class Cloned:
    """rows: that were learned from. agreement: share of the held-out rows in which the policy does the same; None of
    numbers. loss: of those rows, the negative logarithm of how probable the action is. called: where they are from."""

    rows: int
    loss: float
    agreement: float | None
    called: str

    @property
    def text(self) -> str:
        """For a reader."""
        same = "" if self.agreement is None else f", and does the same in {self.agreement:.0%} of those held out"
        return f"demonstrations: the policy was cloned from {self.rows:,} rows of {self.called}{same}"


def check_cloned(made: BaseAlgorithm) -> OnPolicyAlgorithm:
    """Raise RefusedError for an algorithm that does not begin from a policy."""
    if not isinstance(made, OnPolicyAlgorithm):
        name = type(made).__name__.lower()
        raise RefusedError(
            f"Demonstrations say what to do, and {name} begins from what it is worth. Use --algorithm ppo or a2c, or "
            "leave --demonstrations out."
        )
    return made


def clone(made: BaseAlgorithm, demonstrations: Demonstrations, reading: Reading, seed: int) -> Cloned:
    """Train the algorithm's policy to do as was demonstrated."""
    policy: Any = check_cloned(made).policy
    observations, actions = _tensors(made, demonstrations, reading)
    count = len(actions)
    held = max(1, round(HELD_OUT * count))
    draw, learned = torch.Generator().manual_seed(seed), count - held
    last = torch.arange(learned, count)
    trained = [value for name, value in policy.named_parameters() if value.requires_grad and name != "log_std"]
    optimizer = torch.optim.Adam(trained, lr=LR)
    best, best_loss, waited = copy.deepcopy(policy.state_dict()), _loss(policy, observations, actions, last), 0
    each = -(-learned // BATCH)
    for _ in range(max(EPOCHS, LEAST_STEPS // each)):
        policy.set_training_mode(True)
        for rows in torch.split(torch.randperm(learned, generator=draw), BATCH):
            loss = -_log_prob(policy, observations, actions, rows).mean()
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(trained, 1.0)
            optimizer.step()
        found = _loss(policy, observations, actions, last)
        if found < best_loss:
            best, best_loss, waited = copy.deepcopy(policy.state_dict()), found, 0
        else:
            waited += 1
        if waited == max(PATIENCE, LEAST_PATIENCE // each):
            break
    policy.load_state_dict(best)
    policy.set_training_mode(False)
    return Cloned(learned, best_loss, _agreement(policy, observations, actions, last), demonstrations.called)


def _tensors(made: BaseAlgorithm, demonstrations: Demonstrations, reading: Reading) -> tuple[Any, torch.Tensor]:
    """Observations as the policy takes them, scaled where the run scales them, and actions."""
    stored: Any = demonstrations.stored[reading.parts[0].name] if reading.plain else demonstrations.stored
    scaling = None if made.env is None else normaliser(made.env)
    if scaling is not None and scaling.norm_obs:
        moments: Any = scaling.obs_rms
        for name, one in moments.items() if isinstance(moments, dict) else [(None, moments)]:
            one.update(stored if name is None else stored[name])
        stored = scaling.normalize_obs(stored)
    device = made.policy.device
    if isinstance(stored, dict):
        return {name: torch.from_numpy(np.asarray(value)) for name, value in stored.items()}, torch.from_numpy(
            demonstrations.actions
        ).to(device)
    return torch.from_numpy(np.asarray(stored)), torch.from_numpy(demonstrations.actions).to(device)


def _picked(observations: Any, rows: torch.Tensor, device: torch.device) -> Any:
    if isinstance(observations, dict):
        return {name: value[rows].to(device) for name, value in observations.items()}
    return observations[rows].to(device)


def _log_prob(policy: Any, observations: Any, actions: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    found: torch.Tensor = policy.evaluate_actions(
        _picked(observations, rows, policy.device), actions[rows.to(actions.device)]
    )[1]
    return found


def _loss(policy: Any, observations: Any, actions: torch.Tensor, rows: torch.Tensor) -> float:
    policy.set_training_mode(False)
    with torch.no_grad():
        parts = [_log_prob(policy, observations, actions, some) for some in torch.split(rows, BATCH)]
    return -float(torch.cat(parts).mean())


def _agreement(policy: Any, observations: Any, actions: torch.Tensor, rows: torch.Tensor) -> float | None:
    if actions.is_floating_point():
        return None
    same = []
    with torch.no_grad():
        for some in torch.split(rows, BATCH):
            chosen = policy.get_distribution(_picked(observations, some, policy.device)).mode()
            each = chosen.reshape(len(some), -1) == actions[some.to(actions.device)].reshape(len(some), -1)
            same.append(each.all(dim=1))
    return float(torch.cat(same).float().mean())


class ValueFirst(BaseCallback):
    """Holds what chooses actions as it is for the first steps, in which the value alone is learned.

    steps: how many; see `value_steps`.
    """

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps
        self.held: list[torch.nn.Parameter] = []

    def _on_training_start(self) -> None:
        if self.model.num_timesteps >= self.steps:
            return
        named = self.model.policy.named_parameters()
        self.held = [value for name, value in named if value.requires_grad and "value_net" not in name]
        for parameter in self.held:
            parameter.requires_grad_(False)

    def _on_rollout_start(self) -> None:
        if self.model.num_timesteps >= self.steps:
            self._free()

    def _on_step(self) -> bool:
        return True

    def _on_training_end(self) -> None:
        self._free()

    def _free(self) -> None:
        for parameter in self.held:
            parameter.requires_grad_(True)
        self.held = []


def value_steps(steps: int | None) -> int:
    """In how many steps the value alone is learned, of so many that there will be."""
    return VALUE_STEPS if steps is None else min(VALUE_STEPS, int(VALUE_SHARE * steps))
