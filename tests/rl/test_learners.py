"""What stable-baselines3 is given, and that the policy that comes of it acts as its own would."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinyworlds
from graftwork.rl.learning.learners import BUFFER_BYTES, kept_steps, learner, policy_of
from graftwork.rl.learning.run import own_randomness
from graftwork.rl.learning.vectorised import side_by_side
from graftwork.rl.recipe import RLRecipe
from graftwork.rl.sight.adapting import sight
from graftwork.rl.sight.reading import Reading
from graftwork.rl.world.environments import open_world

CASES: tuple[tuple[Any, str, int, bool], ...] = (
    (tinyworlds.Signal, "ppo:steps=16,batch=16,hidden=8", 2, False),
    (tinyworlds.Signal, "a2c:hidden=8", 2, True),
    (tinyworlds.Several, "ppo:steps=16,batch=16,hidden=8", 2, True),
    (tinyworlds.Several, "dqn:starts=8,hidden=8", 1, False),
    (tinyworlds.Numbers, "sac:starts=8,batch=8,hidden=8", 1, False),
    (tinyworlds.Numbers, "ppo:steps=16,batch=16,hidden=8", 2, True),
    ("FrozenLake-v1", "dqn:starts=8,hidden=8", 1, False),
    ("Blackjack-v1", "ppo:steps=16,batch=16,hidden=8", 2, False),
)


@pytest.mark.parametrize(("env", "algorithm", "envs", "normalise"), CASES)
def test_a_policy_acts_as_the_algorithm_it_comes_from(env: Any, algorithm: str, envs: int, normalise: bool) -> None:
    recipe = RLRecipe(env=env, algorithm=algorithm, envs=envs, normalise=normalise)  # type: ignore[arg-type]
    world = open_world(env)
    with own_randomness(0):
        seen = sight(recipe, world, 0)
        sides = side_by_side(world, seen.reading, envs, normalise=normalise, discount=0.99)
        made = learner(recipe, seen, sides, 0, 64)
        made.learn(64, log_interval=10**9)
    policy = policy_of(made, recipe, world, seen, 0)
    observations = [world.made(None).reset(seed=seed)[0] for seed in range(16)]
    rows = [seen.reading.row(one) for one in observations]
    stored: Any = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    stored = next(iter(stored.values())) if seen.reading.plain else stored
    theirs, _ = made.predict(sides.normalize_obs(stored) if normalise else stored, deterministic=True)  # type: ignore[attr-defined]
    assert np.allclose(np.array(policy.act_many(observations)), theirs, atol=1e-6)


def test_a_buffer_fits_into_memory() -> None:
    small, large = Reading(open_world(tinyworlds.Signal).parts), Reading(open_world(tinyworlds.Several).parts)
    assert kept_steps(1000, small, None) == 1000
    assert kept_steps(1000, small, 10) == 10
    each = 2 * (4 * 4 * 2 + 16 * 16 * 3 + 4 * (3 + 2 + 5))
    assert kept_steps(10**9, large, None) == BUFFER_BYTES // each
