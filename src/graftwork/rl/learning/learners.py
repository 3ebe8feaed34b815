"""The algorithm of stable-baselines3 on our environments and networks, and the policy that comes of it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
import stable_baselines3
import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from stable_baselines3.common.vec_env import VecEnv
from torch import Tensor, nn

from graftwork.errors import UsageError
from graftwork.rl.learning.vectorised import scale_of
from graftwork.rl.policies.network import PolicyNetwork, Spread
from graftwork.rl.policies.policy import Policy
from graftwork.rl.recipe import RLRecipe
from graftwork.rl.sight.adapting import Sight
from graftwork.rl.sight.reading import Reading
from graftwork.rl.sight.seeing import Seeing
from graftwork.rl.world.environments import World

BUFFER_BYTES = 2**32
"""Of observations in the buffer of an algorithm that learns from one, at most."""
_ACTIVATIONS = {"tanh": nn.Tanh, "relu": nn.ReLU}


class SeeingExtractor(BaseFeaturesExtractor):
    """What the algorithm's networks see with; each of them trains a copy of its own."""

    def __init__(self, observation_space: Any, sees: Seeing) -> None:
        super().__init__(observation_space, sees.width)
        self.sees = copy.deepcopy(sees)

    def forward(self, stored: Mapping[str, Tensor]) -> Tensor:
        features: Tensor = self.sees(stored)
        return features


def learner(recipe: RLRecipe, sight: Sight, env: VecEnv, seed: int, steps: int | None) -> BaseAlgorithm:
    """The algorithm, ready to learn. steps: as many as there will be at most, where that is known."""
    algorithm, arguments = recipe.algorithm, recipe.algorithm.arguments()
    kwargs: dict[str, Any] = {
        "net_arch": list(algorithm.hidden),
        "activation_fn": _ACTIVATIONS[algorithm.activation],
        "normalize_images": False,
    }
    if not sight.reading.plain:
        kwargs |= {"features_extractor_class": SeeingExtractor, "features_extractor_kwargs": {"sees": sight.sees}}
    _check_rollout(recipe, sight.reading)
    if algorithm.replays:
        arguments["buffer_size"] = kept_steps(arguments["buffer_size"], sight.reading, steps)
    name = "MlpPolicy" if sight.reading.plain else "MultiInputPolicy"
    made: BaseAlgorithm = getattr(stable_baselines3, algorithm.name.upper())(
        name, env, policy_kwargs=kwargs, seed=seed, device=device_of(sight.reading), **arguments
    )
    return made


def _check_rollout(recipe: RLRecipe, reading: Reading) -> None:
    """Raise UsageError where what is seen between two updates, as float32, does not fit into `BUFFER_BYTES`."""
    each = 4 * sum(length for length, _ in reading.stored().values())
    asked, most = recipe.algorithm.rollout(recipe.used_envs), BUFFER_BYTES // each
    if asked > most:
        name = recipe.algorithm.name
        raise UsageError(
            f"{name} would keep {asked:,} observations of {each:,} bytes between two updates. Expected {most:,} at "
            f"most: fewer envs, or fewer steps of each (--algorithm {name}:steps=256)."
        )


def kept_steps(asked: int, reading: Reading, steps: int | None) -> int:
    """How many steps a buffer keeps: as many as asked for, as there will be, and as fit into `BUFFER_BYTES`."""
    each = 2 * sum(length * np.dtype(kind).itemsize for length, kind in reading.stored().values())
    return max(1, min(asked, steps or asked, BUFFER_BYTES // each))


def device_of(reading: Reading) -> torch.device:
    """Where the networks compute: small ones over numbers are quickest on the processor."""
    from graftwork.devices import chosen

    numbers = all(part.kind in ("numbers", "category") for part in reading.parts)
    return torch.device("cpu") if numbers else chosen()


def policy_of(made: BaseAlgorithm, recipe: RLRecipe, world: World, sight: Sight, seed: int) -> Policy:
    """The policy as it is now, with weights of its own."""
    name = recipe.algorithm.name
    learned: Any = made.policy  # what it holds depends on the algorithm
    spread: Spread = "none"
    if name == "dqn":
        layers, extractor = list(learned.q_net.q_net), learned.q_net.features_extractor
    elif name == "sac":
        actor = learned.actor
        layers, extractor, spread = [*actor.latent_pi, actor.mu], actor.features_extractor, "seen"
    else:
        layers, extractor = [*learned.mlp_extractor.policy_net, learned.action_net], learned.features_extractor
        spread = "fixed" if world.actions.kind == "numbers" else "none"
    seen = sight.folded(extractor.sees if isinstance(extractor, SeeingExtractor) else sight.sees)
    widths, activation = recipe.algorithm.hidden, recipe.algorithm.activation
    network = PolicyNetwork(seen, widths, activation, world.actions.outputs, spread).to(made.device)
    network.hidden.load_state_dict(nn.Sequential(*layers[:-1]).state_dict())
    network.head.load_state_dict(layers[-1].state_dict())
    with torch.no_grad():
        if network.log_std is not None:
            network.log_std.copy_(learned.log_std)
    if network.spreads is not None:
        network.spreads.load_state_dict(learned.actor.log_std.state_dict())
    return Policy(
        network=network.requires_grad_(False).eval(),
        reading=sight.reading,
        actions=world.actions,
        squashed=name == "sac",
        explore=recipe.algorithm.explore_end if name == "dqn" else 0.0,  # type: ignore[attr-defined]
        scale={} if made.env is None else scale_of(made.env, sight.reading),
        about={"env": world.name, "recipe": recipe.to_dict(), "seed": seed, "step": made.num_timesteps}
        | ({"values": True} if name == "dqn" else {}),
    )
