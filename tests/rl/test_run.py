"""One run of learning by reward: what it gives, and what stands when something fails."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
import torch

import tinyworlds
from graftwork.errors import RefusedError, UsageError
from graftwork.rl.learning.run import run_one
from graftwork.rl.recipe import RLRecipe
from graftwork.rl.world.environments import EnvironmentCrashedError

STEPS = {"ppo": 640, "a2c": 1024, "dqn": 800, "sac": 320}
QUICK = "ppo:steps=16,batch=32,epochs=4,lr=1e-2,hidden=16"


def recipe(env: Any = tinyworlds.Signal, **settings: Any) -> RLRecipe:
    usual = {"algorithm": QUICK, "steps": 1024, "envs": 4, "episodes": 6, "evaluate_every": 512}
    return RLRecipe(env=env, **(usual | settings))


def test_it_learns_what_is_rewarded() -> None:
    run = run_one(recipe(), seed=0)
    assert [one.step for one in run.scored] == [0, 512, 1024]
    assert run.final is not None
    assert run.final.returns == (5.0,) * 6  # every step of every episode is right
    assert run.final.lengths == (5,) * 6
    assert run.final.successes == (True,) * 6
    assert (run.interrupted, run.failed) == (False, "")
    assert run.policy.act(np.array([1.0, 0.5])) == 1
    assert run.policy.act(np.array([-1.0, 0.5])) == 0


@pytest.mark.parametrize(
    ("env", "algorithm"),
    [
        (tinyworlds.FromOne, QUICK),
        (tinyworlds.Several, QUICK),
        (tinyworlds.Signal, "a2c:steps=8,lr=1e-2,hidden=16"),
        (tinyworlds.FromOne, "dqn:starts=32,every=2,lr=1e-2,target=64,batch=32,hidden=16"),
        (tinyworlds.Numbers, "sac:starts=32,batch=32,hidden=16,lr=1e-2"),
        (tinyworlds.Numbers, QUICK),
    ],
)
def test_every_algorithm_and_kind_of_observation_learns(env: Any, algorithm: str) -> None:
    envs = 1 if algorithm[:3] in ("dqn", "sac") else 4
    run = run_one(recipe(env, algorithm=algorithm, envs=envs, steps=STEPS[algorithm[:3]]), seed=0)
    assert run.final is not None
    assert run.final.mean >= 4.5  # by chance it is 2.5


def test_a_seed_says_everything_that_is_drawn() -> None:
    one, again, other = (run_one(recipe(steps=128), seed=seed) for seed in (3, 3, 4))
    for name, value in one.policy.network.state_dict().items():
        assert torch.equal(value, again.policy.network.state_dict()[name])
    assert one.scored[0].returns == again.scored[0].returns
    assert not torch.equal(one.policy.network.head.weight, other.policy.network.head.weight)


def test_the_streams_of_the_process_are_left_alone() -> None:
    states = random.getstate(), np.random.get_state()[1].copy(), torch.get_rng_state()  # type: ignore[union-attr,index]
    run_one(recipe(steps=64), seed=1)
    assert random.getstate() == states[0]
    assert np.array_equal(np.random.get_state()[1], states[1])  # type: ignore[index]
    assert torch.equal(torch.get_rng_state(), states[2])


def test_what_was_learned_stands_where_the_environment_crashes() -> None:
    run = run_one(recipe(tinyworlds.Crashing, episodes=2), seed=0)
    assert re_said(run.failed, "Crashing failed at a step", "the motor is stuck")
    assert run.scored
    assert run.policy.act(np.array([1.0, 0.5])) in (0, 1)


def re_said(text: str, *words: str) -> bool:
    return all(word in text for word in words)


def test_an_observation_that_is_no_number_ends_the_run() -> None:
    run = run_one(recipe(tinyworlds.Fading, episodes=2), seed=0)
    assert re_said(run.failed, "Fading showed", "'observation' has numbers that are not finite")


def test_a_score_does_not_play_on_with_what_is_no_number() -> None:
    with pytest.raises(EnvironmentCrashedError, match="numbers that are not finite"):
        run_one(recipe(tinyworlds.Fading, episodes=32), seed=0)


def test_a_reward_that_is_no_number_ends_the_run() -> None:
    with pytest.raises(EnvironmentCrashedError, match="gave the reward nan"):
        run_one(recipe(tinyworlds.NoNumber), seed=0)


def test_an_environment_that_never_starts_is_an_error() -> None:
    with pytest.raises(EnvironmentCrashedError, match="Dead failed when it was reset: RuntimeError: no power"):
        run_one(recipe(tinyworlds.Dead), seed=0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"env": "CartPool-v1"}, "There is no environment 'CartPool-v1'. Did you mean 'CartPole-v"),
        ({"env": tinyworlds.Graphs}, "shows 'observation' as Graph"),
        ({"env": tinyworlds.Endless}, "numbers without an end"),
        ({"algorithm": "sac"}, "sac does not learn actions that are one of 2 choices. .*--algorithm ppo or a2c or dqn"),
        ({"algorithm": "ppo:steps=1000000000"}, "4,000,000,000 observations of 8 bytes between two updates"),
        ({"env": tinyworlds.Spoken}, "shows a text, 'mission', and no base reads it"),
    ],
)
def test_what_can_not_be_learned_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        run_one(recipe(**settings), seed=0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps": 0}, "steps is 0"),
        ({"episodes": 0}, "episodes is 0"),
        ({"algorithm": "pqo"}, "Unknown algorithm 'pqo'. Did you mean 'ppo'"),
        ({"algorithm": "ppo:clip=-1"}, "clip is -1"),
        ({"algorithm": "dqn:explore=2"}, "explore is 2"),
        ({"techniques": ["lora"]}, "lora adapts a base, and none is named"),
    ],
)
def test_settings_out_of_their_range_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        recipe(**settings)


def test_a_technique_that_needs_rows_is_refused() -> None:
    with pytest.raises(RefusedError, match="mixup needs rows with targets"):
        recipe(base="small-cnn", techniques=["mixup"])
