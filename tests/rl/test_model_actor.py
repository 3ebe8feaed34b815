"""A model that was fitted on rows, acting in an environment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import graftwork as gw
import tinyworlds
from command import graft
from graftwork.errors import ModelError, UsageError
from graftwork.rl.learning.model_actor import ModelActor, score_model
from graftwork.rl.world.action_values import action_columns, action_names, read_action
from graftwork.rl.world.actions import Actions
from graftwork.rl.world.environments import open_world


def shown(count: int = 80, first: str = "observation.0") -> pa.Table:
    """What `Signal` shows, and the right action."""
    at = np.arange(count) % 2
    return pa.table({first: 2.0 * at - 1.0, "observation.1": np.full(count, 0.5) + 0.01 * (at - 0.5), "action": at})


def fitted(table: pa.Table, task: str = "classification", **more: Any) -> gw.Model:
    training = gw.Training(steps=60, batch=32, evaluations=1, precision="fp32", lr=1e-2)
    recipe = gw.Recipe(base="table-mlp:width=8,layers=1", task=task, techniques=[], training=training)
    return gw.fit(table, target="action", recipe=recipe, verbose=False, **more)


def test_it_does_in_the_environment_what_the_rows_did() -> None:
    own, chance = score_model(fitted(shown()), open_world(tinyworlds.Signal), episodes=6)
    assert own.returns == (5.0,) * 6
    assert own.successes == (True,) * 6
    assert chance.mean < 5.0


def test_actions_that_are_numbers_come_from_a_regression() -> None:
    table = shown()
    numbers = table.set_column(2, "action", pa.array(2.0 * np.asarray(table["action"]) - 1.0))
    own, _ = score_model(fitted(numbers, "regression"), open_world(tinyworlds.Numbers), episodes=3)
    assert own.returns == (5.0,) * 3


def test_a_column_that_the_environment_does_not_show_is_named() -> None:
    with pytest.raises(UsageError, match=r"reads 'observation.9', and Signal shows 'observation.0'"):
        ModelActor.of(fitted(shown(first="observation.9")), open_world(tinyworlds.Signal))


def test_a_prediction_that_is_no_action_is_said() -> None:
    table = shown()
    named = table.set_column(2, "action", pa.array([("stay", "go")[at] for at in table["action"].to_pylist()]))
    with pytest.raises(UsageError, match=r"is no action of Signal: '(stay|go)' is not a whole number from 0 to 1"):
        score_model(fitted(named), open_world(tinyworlds.Signal), episodes=1)


def test_a_policy_is_played_on_episodes_that_it_was_not_chosen_by(tmp_path: Path) -> None:
    usual = {"algorithm": "ppo:steps=16,batch=32,hidden=8", "envs": 4, "verbose": False}
    learned = gw.rl(tinyworlds.Signal, steps=128, episodes=3, out=tmp_path, **usual)
    played = gw.play(tmp_path, tinyworlds.Signal, episodes=3)
    assert learned.runs[0].final is not None
    assert played.model.returns == learned.runs[0].final.returns
    with pytest.raises(UsageError, match="Numbers shows or takes something else"):
        gw.play(learned.policy, tinyworlds.Numbers, episodes=3)
    with pytest.raises(ModelError, match=r"it holds a policy of graft rl. Load it with gw.load_policy"):
        gw.load(tmp_path)
    ran = graft("evaluate", tmp_path, "--env", "tinyworlds:Signal", "--episodes", "3", "--json").works()
    assert tuple(json.loads(ran.out)["the_policy"]["returns"]) == played.model.returns


def test_what_is_an_action() -> None:
    one = Actions("one", (), (3,), (1,))
    assert action_columns(one, "a") == ("a",)
    assert [read_action([value], one, {"left": 1}).tolist() for value in ("3", 2.0, "Left")] == [[2.0], [1.0], [0.0]]
    for value in (0, 4, 1.5, "up", None, float("nan")):
        with pytest.raises(ValueError, match="a whole number from 1 to 3"):
            read_action([value], one, {})
    two = Actions("numbers", (2,), low=(-1.0, 0.0), high=(1.0, 2.0))
    assert action_columns(two, "a") == ("a.0", "a.1")
    assert read_action([0.5, 2.0], two, {}).tolist() == [0.5, 2.0]
    with pytest.raises(ValueError, match="3 is not a number from 0 to 2"):
        read_action([0.5, 3.0], two, {})
    with pytest.raises(ValueError, match="Did you mean 'left'"):
        read_action(["lift"], one, {"left": 1})
    assert read_action([1, 0], Actions("flags", (2,)), {}).tolist() == [1.0, 0.0]
    assert read_action([1, 2], Actions("several", (2,), (2, 3), (0, 0)), {}).tolist() == [1.0, 2.0]


def test_names_of_actions_are_the_environment_s_own() -> None:
    assert action_names(open_world("minigrid:BabyAI-GoToLocalS5N2-v0"))["forward"] == 2
    assert action_names(open_world(tinyworlds.Signal)) == {}


def test_at_the_command_line(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    names = [f"observation.{at}" for at in range(4)]
    table = pa.table({**{name: draw.normal(size=80) for name in names}, "action": np.arange(80) % 2})
    fitted(table, out=tmp_path / "model")
    found = graft("evaluate", tmp_path / "model", "--env", "CartPole-v1", "--episodes", "2", "--json").works()
    told = json.loads(found.out)
    assert len(told["the_model"]["returns"]) == 2
    again = graft("evaluate", tmp_path / "model", "--env", "CartPole-v1", "--episodes", "2").works()
    assert "actions at random" in again.out
    graft("evaluate", tmp_path / "model", "--env", "CartPole-v1", "--robust").fails(2, "Leave --robust out")
    graft("evaluate", tmp_path / "model").fails(2, "Name a table")
