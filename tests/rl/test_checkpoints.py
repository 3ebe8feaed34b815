"""Checkpoints: an algorithm that is brought back learns on as the one that was kept; runs go on where they stopped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open

import tinyworlds
from graftwork.core.training.checkpoint import Checkpointing
from graftwork.errors import CheckpointError
from graftwork.rl.learning.checkpoints import load_checkpoint, save_checkpoint
from graftwork.rl.learning.learners import learner
from graftwork.rl.learning.run import own_randomness, run_one
from graftwork.rl.learning.vectorised import side_by_side
from graftwork.rl.recipe import RLRecipe
from graftwork.rl.sight.adapting import sight
from graftwork.rl.world.environments import open_world

ALGORITHMS = {
    "ppo": (tinyworlds.Signal, "ppo:steps=8,batch=8,epochs=2,hidden=8", 2),
    "a2c": (tinyworlds.Several, "a2c:hidden=8", 2),
    "dqn": (tinyworlds.Several, "dqn:starts=8,every=2,batch=8,target=16,hidden=8", 1),
    "sac": (tinyworlds.Numbers, "sac:starts=8,batch=8,hidden=8", 1),
}


def made(env: Any, algorithm: str, envs: int, *, normalise: bool) -> Any:
    recipe = RLRecipe(env=env, algorithm=algorithm, envs=envs, normalise=normalise, steps=96)  # type: ignore[arg-type]
    world = open_world(env)
    seen = sight(recipe, world, 0)
    sides = side_by_side(world, seen.reading, envs, normalise=normalise, discount=0.9)
    return learner(recipe, seen, sides, 0, 96)


def more(one: Any) -> dict[str, torch.Tensor]:
    """The weights after 32 steps more, in environments that begin anew."""
    one.env.seed(99)
    one._last_obs = None
    one.learn(32, reset_num_timesteps=False, log_interval=10**9)
    return {name: value.clone() for name, value in one.policy.state_dict().items()}


@pytest.mark.parametrize("name", ALGORITHMS)
@pytest.mark.parametrize("normalise", [False, True])
def test_what_is_brought_back_learns_on_bit_for_bit(tmp_path: Path, name: str, normalise: bool) -> None:
    kept = Checkpointing(tmp_path, "this run")
    with own_randomness(0):
        first = made(*ALGORITHMS[name], normalise=normalise)
        first.learn(64, log_interval=10**9)
        save_checkpoint(first, kept, {"scores": [1, 2]})
        steps = first.num_timesteps
        straight = more(first)
    with own_randomness(5):
        second = made(*ALGORITHMS[name], normalise=normalise)
        assert load_checkpoint(second, kept) == {"scores": [1, 2]}
        assert second.num_timesteps == steps
        resumed = more(second)
    for key, value in straight.items():
        assert torch.equal(value, resumed[key]), key


def test_one_of_another_run_is_refused(tmp_path: Path) -> None:
    with own_randomness(0):
        one = made(*ALGORITHMS["ppo"], normalise=False)
        one.learn(16, log_interval=10**9)
        save_checkpoint(one, Checkpointing(tmp_path, "this run"), {})
        with pytest.raises(CheckpointError, match="belongs to a run with other"):
            load_checkpoint(one, Checkpointing(tmp_path, "that run"))


def test_a_damaged_buffer_is_said(tmp_path: Path) -> None:
    with own_randomness(0):
        one = made(*ALGORITHMS["sac"], normalise=False)
        one.learn(16, log_interval=10**9)
        save_checkpoint(one, Checkpointing(tmp_path, "this run"), {})
        (buffer,) = tmp_path.glob("buffer-*.npz")
        buffer.write_bytes(buffer.read_bytes()[:-200])
        with pytest.raises(CheckpointError, match="damaged"):
            load_checkpoint(one, Checkpointing(tmp_path, "this run"))


def test_a_buffer_is_read_without_pickle(tmp_path: Path) -> None:
    with own_randomness(0):
        one = made(*ALGORITHMS["sac"], normalise=False)
        one.learn(16, log_interval=10**9)
        save_checkpoint(one, Checkpointing(tmp_path, "this run"), {})
        (buffer,) = tmp_path.glob("buffer-*.npz")
        arrays = dict(np.load(buffer))
        with open(buffer, "wb") as file:
            np.savez(file, **{**arrays, "actions/": np.array([{"a": 1}], object)})  # type: ignore[arg-type]
        with pytest.raises(CheckpointError, match="damaged"):
            load_checkpoint(one, Checkpointing(tmp_path, "this run"))


@pytest.mark.parametrize("end", [-1, 10**6])
def test_a_buffer_that_ends_elsewhere_is_damaged(tmp_path: Path, end: int) -> None:
    with own_randomness(0):
        one = made(*ALGORITHMS["sac"], normalise=False)
        one.learn(16, log_interval=10**9)
        save_checkpoint(one, Checkpointing(tmp_path, "this run"), {})
        (buffer,) = tmp_path.glob("buffer-*.npz")
        arrays = dict(np.load(buffer))
        with open(buffer, "wb") as file:
            np.savez(file, **{**arrays, "pos": np.array(end)})
        with pytest.raises(CheckpointError, match="has its end at"):
            load_checkpoint(one, Checkpointing(tmp_path, "this run"))


def recipe(env: Any = tinyworlds.Signal, **settings: Any) -> RLRecipe:
    usual = {"algorithm": "ppo:steps=16,batch=32,epochs=4,lr=1e-2,hidden=16", "envs": 4, "episodes": 4}
    return RLRecipe(env=env, **(usual | {"steps": 1024, "evaluate_every": 256} | settings))


def step_of(folder: Path) -> int:
    """At which the checkpoint was written."""
    with safe_open(folder / "checkpoint.safetensors", framework="pt") as file:
        return int(json.loads(file.metadata()["graftwork"])["counters"]["num_timesteps"])


class Stopping(tinyworlds.Signal):
    """Ctrl-C at the 700th step of all, the first time."""

    total = 0

    def step(self, action: Any) -> Any:
        type(self).total += 1
        if type(self).total == 700:
            raise KeyboardInterrupt
        return super().step(action)


def test_a_stopped_run_keeps_what_was_learned_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graftwork.rl.learning.run.SECONDS", 0.0)
    monkeypatch.setattr("graftwork.rl.learning.running.TIMES", 0.0)
    monkeypatch.setattr(Stopping, "total", 0)
    stopped = run_one(recipe(Stopping), tmp_path, seed=0)
    assert stopped.interrupted
    assert stopped.scored
    assert stopped.policy.act(np.array([1.0, 0.5])) in (0, 1)
    assert (tmp_path / "policy" / "policy.json").is_file()
    resumed = run_one(recipe(Stopping), tmp_path, seed=0, resume=True)
    assert not resumed.interrupted
    assert resumed.scored[: len(stopped.scored)] == stopped.scored
    assert 1024 <= resumed.scored[-1].step < 1024 + 64  # it went on in the middle of a rollout
    assert resumed.final is not None
    assert resumed.final.mean > 4.5
    assert [one.step for one in resumed.scored] == sorted({one.step for one in resumed.scored})


def test_ctrl_c_leaves_a_checkpoint_of_that_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Stopping, "total", 0)
    stopped = run_one(recipe(Stopping), tmp_path, seed=0)  # the next one is due in a minute
    assert stopped.interrupted
    assert step_of(tmp_path) > 500


def test_what_was_stopped_before_its_first_score_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Stopping, "total", 695)
    stopped = run_one(recipe(Stopping, steps=128), tmp_path, seed=0)
    assert (stopped.interrupted, stopped.scored) == (True, ())
    resumed = run_one(recipe(Stopping, steps=128), tmp_path, seed=0, resume=True)
    assert [one.step for one in resumed.scored] == [0, 128]


def test_a_finished_run_is_given_back_and_can_be_made_longer(tmp_path: Path) -> None:
    first = run_one(recipe(steps=256), tmp_path, seed=0)
    again = run_one(recipe(steps=256), tmp_path, seed=0, resume=True)
    assert again.scored == first.scored
    assert again.final == first.final
    longer = run_one(recipe(steps=512), tmp_path, seed=0, resume=True)
    assert longer.scored[: len(first.scored)] == first.scored
    assert longer.scored[-1].step == 512
    told = json.loads((tmp_path / "run.json").read_text())
    assert told["recipe"]["steps"] == 512


def test_without_resume_it_begins_anew(tmp_path: Path) -> None:
    run_one(recipe(steps=256), tmp_path, seed=0)
    other = run_one(recipe(steps=128, evaluate_every=128), tmp_path, seed=0)
    assert [one.step for one in other.scored] == [0, 128]


def test_a_crash_leaves_a_run_that_can_go_on(tmp_path: Path) -> None:
    run = run_one(recipe(tinyworlds.Crashing, episodes=2), tmp_path, seed=0)
    assert "the motor is stuck" in run.failed
    assert json.loads((tmp_path / "run.json").read_text())["failed"] == run.failed
    crashed = 4 * 39
    assert step_of(tmp_path) == crashed
    assert [one.step for one in run.scored] == [0, crashed]  # what was learned since the last score counts


def test_the_last_policy_is_there_whatever_it_scored(tmp_path: Path) -> None:
    run = run_one(recipe(steps=256), tmp_path, seed=0)
    assert run.last is not None
    assert run.last.about["step"] == 256
    assert run_one(recipe(steps=256), tmp_path, seed=0, resume=True).last is None


def test_another_recipe_can_not_go_on_with_it(tmp_path: Path) -> None:
    run_one(recipe(steps=128), tmp_path, seed=0)
    with pytest.raises(CheckpointError, match="belongs to a run with other"):
        run_one(recipe(steps=256, algorithm="ppo:steps=16,lr=1e-3,hidden=16"), tmp_path, seed=0, resume=True)
