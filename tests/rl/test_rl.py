"""`gw.rl` and `graft rl`, as a user calls them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graftwork as gw
import tinyworlds
from command import graft
from graftwork.errors import UsageError
from graftwork.rl.world.environments import EnvironmentCrashedError, open_world

PPO = "ppo:steps=16,batch=32,epochs=4,lr=1e-2,hidden=16"
QUICK = ("--algorithm", PPO, "--steps", "256", "--episodes", "3", "--envs", "4")
SIGNAL = "tinyworlds:Signal"


def test_several_seeds_from_python(tmp_path: Path) -> None:
    learned = gw.rl(
        tinyworlds.Signal, algorithm=PPO, steps=640, envs=4, episodes=3, seeds=2, out=tmp_path / "out", verbose=False
    )
    assert [run.seed for run in learned.runs] == [0, 1]
    assert learned.act(np.array([1.0, 0.5])) == 1
    means = [max(one.mean for one in run.scored) for run in learned.runs]
    assert means[learned.kept] == max(means)
    again = gw.load_policy(tmp_path / "out")
    assert again.act(np.array([1.0, 0.5])) == 1
    assert {each.name for each in (tmp_path / "out").iterdir()} >= {"report.html", "scores.json", "policy.json"}
    told = json.loads((tmp_path / "out" / "scores.json").read_text())
    assert [one["seed"] for one in told["seeds"]] == [0, 1]
    assert "Return 5" in str(learned)


def test_the_room_and_the_function_share_a_name() -> None:
    import graftwork.rl.recipe

    assert callable(gw.rl)
    assert callable(graftwork.rl)
    with pytest.raises(UsageError, match="seeds is 0"):
        gw.rl(tinyworlds.Signal, seeds=0, verbose=False)


def test_the_command(tmp_path: Path) -> None:
    out = tmp_path / "out"
    ran = graft("rl", "--env", SIGNAL, *QUICK, "--out", out).works()
    assert "Return" in ran.out
    assert f"policy: {out}" in ran.out
    again = graft("rl", "--env", SIGNAL, *QUICK, "--out", out, "--resume").works()
    assert ran.out.splitlines()[0] == again.out.splitlines()[0]
    assert gw.load_policy(out).about["env"] == SIGNAL


@pytest.mark.slow
def test_a_budget_ends_it(tmp_path: Path) -> None:
    learned = gw.rl(
        tinyworlds.Signal, algorithm=PPO, budget=4.0, envs=4, episodes=2, out=tmp_path / "out", verbose=False
    )
    assert learned.runs[0].scored[-1].step > 0
    assert learned.recipe.steps is None
    assert learned.runs[0].final is not None


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--env", "CartPool-v1"), 2, "There is no environment 'CartPool-v1'. Did you mean 'CartPole-v1'"),
        (("--env", "ALE/Pong-v5"), 1, "Install the package"),
        (("--env", "nowhere:Thing"), 2, "there is no module 'nowhere'"),
        (("--env", "tinyworlds:Signol"), 2, "the module 'tinyworlds' has no 'Signol'. Did you mean 'Signal'"),
        (("--env", "tinyworlds:COLOURS"), 2, "Expected a class, or a function"),
        (("--env", "tinyworlds:Dead"), 1, "Dead failed when it was reset: RuntimeError: no power"),
        (("--env", "tinyworlds:Graphs"), 2, "shows 'observation' as Graph"),
        (("--env", SIGNAL, "--algorithm", "sac"), 2, "sac does not learn actions that are one of 2 choices"),
        (
            ("--env", SIGNAL, "--algorithm", "ppo:steps=none"),
            2,
            "algorithm 'ppo', setting 'steps' is 'none'. Expected a whole number",
        ),
        (("--env", SIGNAL, "--steps", "0"), 2, "steps is 0"),
        (("--env", SIGNAL, "--budget", "soon"), 2, "expected a time"),
        (("--env", SIGNAL, "--resume"), 2, "--resume needs --out"),
        (("--env", SIGNAL, "--with", "lora"), 2, "lora adapts a base, and none is named"),
        (("--env", SIGNAL, "--with", "mixup", "--base", "minilm"), 2, "mixup needs rows with targets"),
        (("--env", SIGNAL, "--base", "minilm"), 2, "minilm' reads text"),
        (("--env", "tinyworlds:Spoken"), 2, "shows a text, 'mission', and no base reads it"),
    ],
)
def test_bad_input_is_said(tmp_path: Path, arguments: tuple[str, ...], code: int, message: str) -> None:
    out = tmp_path / "out"
    where = () if "--resume" in arguments else ("--out", out)
    graft("rl", *arguments, *where).fails(code, message)
    assert not out.exists() or not any(each.name == "policy.json" for each in out.iterdir())


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    graft("rl", "--env", SIGNAL, *QUICK, "--out", tmp_path).fails(2, "holds something that is not a policy")
    assert [each.name for each in tmp_path.iterdir()] == ["notes.txt"]


def test_a_crash_is_said_and_what_was_learned_stands(tmp_path: Path) -> None:
    ran = graft("rl", "--env", "tinyworlds:Crashing", *QUICK, "--episodes", "2", "--out", tmp_path / "out").works()
    assert "the motor is stuck" in ran.err + ran.out
    assert gw.load_policy(tmp_path / "out").act(np.array([1.0, 0.5])) in (0, 1)


def test_an_environment_that_always_fails_is_an_error() -> None:
    with pytest.raises(EnvironmentCrashedError, match="no power"):
        gw.rl(tinyworlds.Dead, verbose=False)


def test_ctrl_c_keeps_what_was_learned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = {"steps": 0}
    step = tinyworlds.Signal.step

    def stopping(self: Any, action: Any) -> Any:
        calls["steps"] += 1
        if calls["steps"] == 300:
            raise KeyboardInterrupt
        return step(self, action)

    monkeypatch.setattr(tinyworlds.Signal, "step", stopping)
    ran = graft("rl", "--env", SIGNAL, *QUICK, "--steps", "2048", "--seeds", "3", "--out", tmp_path / "out")
    assert ran.code == 130
    assert "Go on with the same command" in ran.err
    assert gw.load_policy(tmp_path / "out").act(np.array([1.0, 0.5])) in (0, 1)
    assert [each.name for each in (tmp_path / "out" / "seeds").iterdir()] == ["0"]


def test_ctrl_c_while_a_seed_is_prepared_keeps_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []

    def opening(env: Any) -> Any:
        opened.append(env)
        if len(opened) == 2:
            raise KeyboardInterrupt
        return open_world(env)

    monkeypatch.setattr("graftwork.rl.learning.run.open_world", opening)
    usual: dict[str, Any] = {"algorithm": "ppo:steps=8,hidden=8", "steps": 64, "episodes": 2, "envs": 2}
    found = gw.rl(tinyworlds.Signal, seeds=2, out=tmp_path / "out", verbose=False, **usual)
    assert (found.interrupted, len(found.runs)) == (True, 1)
    assert found.notes == ("stopped before seed 1 began",)
    assert gw.load_policy(tmp_path / "out").about["seed"] == 0
